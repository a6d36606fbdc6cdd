// Package limit keeps budgets of guesses and sends in rows, so that they are right
// across attempts, nodes and restarts and need no server of their own.
//
// A budget is a sliding window: at most so many uses of one subject inside any span of
// its length, wherever that span begins. A use counts from its moment t until just
// before t + Window; at t + Window it is free again. Nothing but time frees a use, and
// a refused take is no use: nobody can prolong another's wait by asking again, and
// every wait ends by itself.
//
// Take charges several budgets at once, all of them or none, in the caller's
// transaction and before the answer is known. It takes the rows with one upsert, in
// the order of their keys, and holds them until the transaction ends: a second take of
// the same subject waits, and then counts the first. What turned out right is given
// back (GiveBack).
//
// The moment of a use is the beginning of its transaction. One that began earlier may
// get the row later; both are counted by their own moments, because a row keeps its
// uses for a little longer than the window and counts those that are ahead of it.
//
// Budgets of up to 64 uses are exact to the microsecond. Larger ones put uses that are
// close together (a 63rd of the window) under the moment of the latest of them: such a
// budget may refuse for that little longer, and never allows more.
//
// The product's own numbers are in numbers.go.
package limit

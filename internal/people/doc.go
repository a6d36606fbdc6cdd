// Package people brings people in. So far that is the import of what a host product
// knows of its sites and users.
//
// An import is judged first, whole, and written afterwards:
//
//	report, err := im.Judge(ctx, file)   // reads all, decides every row, writes nothing
//	…
//	err = im.Write(ctx, report)          // one transaction a site
//
// Every row ends as accepted, mended or refused, with notes that say what and why. One
// bad row never blocks its site; a file that is no proper CSV is refused as a whole.
//
// Import never merges people. A login name that another row of the file or a user in
// the database holds is refused, naming the other by references and never by the
// address. Of two rows of one file the name goes to
//
//  1. the one to whom the database has given it already, by the same references
//  2. an active one before an inactive or blocked one
//  3. the earlier line
//
// No accepted row loses its sign-in: the login name's canonical form is what the
// person's typing becomes, too (package address), and names that no mail can reach stay
// login names, only without an email method.
//
// Import adds and never changes: what is in the database stays as it is, except that a
// site without any record of Xero becomes connected when the file says so. The same file
// a second time changes nothing, and one that was stopped half way is finished by
// running it again.
package people

package method

import (
	"context"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/limit"
)

// Guesses are the budgets that one guess at a code of the method is taken from: per
// user and method, over all codes, attempts, nodes and surfaces. known says that the
// guess comes from a browser or network where the user completed a sign-in lately.
func Guesses(who id.User, which id.Method, known bool) []limit.Charge {
	subject := limit.Subject("guess", string(who), string(which))
	return []limit.Charge{
		{Budget: limit.GuessesHour, Subject: subject, Known: known},
		{Budget: limit.GuessesDay, Subject: subject, Known: known},
	}
}

// Recoveries are the budgets that one try at a user's recovery codes is taken from. known
// is as in Guesses.
func Recoveries(who id.User, network string, known bool) []limit.Charge {
	all := []limit.Charge{{Budget: limit.RecoveriesUser, Subject: limit.Subject("recovery", string(who)), Known: known}}
	if !known {
		all = append(all, limit.Charge{Budget: limit.RecoveriesPlace, Subject: limit.Subject("recovery", string(who), network)})
	}
	return all
}

// RestingUntil says until when a method takes no more guesses from such a place; zero
// when it takes one now.
func RestingUntil(ctx context.Context, from db.Reader, now time.Time, m Method, known bool) (time.Time, error) {
	answer, err := limit.Peek(ctx, from, now, Guesses(m.User, m.ID, known)...)
	if err != nil || answer.OK {
		return time.Time{}, err
	}
	return answer.Retry, nil
}

// RestingOfAll is RestingUntil for many methods, from a place where nobody is known; one
// that takes a guess now is left out.
func RestingOfAll(ctx context.Context, from db.Reader, now time.Time, all []Method) (map[id.Method]time.Time, error) {
	charges := make([][]limit.Charge, len(all))
	for i, m := range all {
		charges[i] = Guesses(m.User, m.ID, false)
	}
	answers, err := limit.PeekEach(ctx, from, now, charges)
	if err != nil {
		return nil, err
	}
	resting := map[id.Method]time.Time{}
	for i, answer := range answers {
		if !answer.OK {
			resting[all[i].ID] = answer.Retry
		}
	}
	return resting, nil
}

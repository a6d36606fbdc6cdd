package limit_test

import (
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/limit"
)

// The numbers that the product promises, in its own words. Changing one is a decision
// about the product, not about code.
func TestTheProductsNumbersHold(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	for words, row := range map[string]struct {
		budget           limit.Budget
		strangers, owner int // accepted, one after the other
		rest             time.Duration
	}{
		"10 guesses an hour, half kept":               {limit.GuessesHour, 5, 5, time.Hour},
		"20 guesses a day, half kept":                 {limit.GuessesDay, 10, 10, 24 * time.Hour},
		"5 wrong passwords, then 15 minutes":          {limit.WrongPasswords, 5, 0, 15 * time.Minute},
		"20 wrong ones in 15 minutes from a network":  {limit.WrongFromNetwork, 20, 0, 15 * time.Minute},
		"the next code after 30 seconds":              {limit.CodeNext, 1, 0, 30 * time.Second},
		"5 codes in 15 minutes, 2 of them for known":  {limit.CodesUser, 3, 2, 15 * time.Minute},
		"the next reset after 30 seconds":             {limit.ResetNext, 1, 0, 30 * time.Second},
		"5 resets in 15 minutes, 2 of them for known": {limit.ResetsUser, 3, 2, 15 * time.Minute},
	} {
		t.Run(words, func(t *testing.T) {
			t.Parallel()
			subject := limit.Subject(words)
			stranger := limit.Charge{Budget: row.budget, Subject: subject}
			owner := limit.Charge{Budget: row.budget, Subject: subject, Known: true}
			if got := takeUntilRefused(t, d, stranger); got != row.strangers {
				t.Errorf("strangers: %d", got)
			}
			if got := takeUntilRefused(t, d, owner); got != row.owner {
				t.Errorf("owner: %d", got)
			}
			now := d.Clock.Now()
			if wait := peek(t, d, now, stranger).Retry.Sub(now); wait > row.rest || wait < row.rest-20*time.Second {
				t.Errorf("then %v of rest", wait)
			}
		})
	}
}

func TestEveryBudgetHasItsOwnNameAndCanBeCharged(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	all := []limit.Budget{
		limit.GuessesHour, limit.GuessesDay, limit.WrongPasswords, limit.WrongFromNetwork,
		limit.CodeNext, limit.CodesUser, limit.CodesDestination, limit.CodesDestinationDay, limit.CodesSite,
		limit.CodesNetwork, limit.SMSHome, limit.SMSAbroad, limit.CodesSystem,
		limit.ResetNext, limit.ResetsUser, limit.ResetsDestination, limit.ResetsNetwork, limit.ResetsSystem,
		limit.NoticesUser, limit.NoticesDestination,
	}
	names := make(map[string]bool)
	for _, b := range all {
		if names[b.Name] {
			t.Errorf("%s is there twice", b.Name)
		}
		names[b.Name] = true
		if !take(t, d, limit.Charge{Budget: b, Subject: "pat"}, limit.Spread(b, "pat")).OK {
			t.Errorf("%s cannot be charged", b.Name)
		}
	}
}

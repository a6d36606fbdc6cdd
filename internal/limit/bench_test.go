package limit_test

import (
	"strconv"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/limit"
)

// BenchmarkTakeForOneCode is what sending one code costs: six budgets in one
// transaction, its commit included.
func BenchmarkTakeForOneCode(b *testing.B) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			d := dbtest.Open(b, dbtest.Fresh(b, engine))
			i := 0
			for b.Loop() {
				i++
				user := strconv.Itoa(i)
				answer, err := tryTake(b.Context(), d,
					limit.Charge{Budget: limit.CodeNext, Subject: user},
					limit.Charge{Budget: limit.CodesUser, Subject: user},
					limit.Charge{Budget: limit.CodesDestination, Subject: user},
					limit.Charge{Budget: limit.CodesSite, Subject: strconv.Itoa(i / 50)},
					limit.Charge{Budget: limit.CodesNetwork, Subject: strconv.Itoa(i / 50)},
					limit.Spread(limit.CodesSystem, user))
				if err != nil || !answer.OK {
					b.Fatal(answer, err)
				}
			}
		})
	}
}

// BenchmarkRefusingEarly is a Peek at a pair that has used up its wrong passwords.
func BenchmarkRefusingEarly(b *testing.B) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			d := dbtest.Open(b, dbtest.Fresh(b, engine))
			c := limit.Charge{Budget: limit.WrongPasswords, Subject: "pat"}
			for range 6 {
				if _, err := tryTake(b.Context(), d, c); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				answer, err := limit.Peek(b.Context(), d, d.Clock.Now(), c)
				if err != nil || answer.OK {
					b.Fatal(answer, err)
				}
			}
		})
	}
}

func BenchmarkSubject(b *testing.B) {
	for b.Loop() {
		limit.Subject("name and network", "pat@bayside.example", time.UTC.String())
	}
}

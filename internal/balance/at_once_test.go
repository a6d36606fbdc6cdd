package balance_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
)

// atOnce runs n functions at the same time.
func atOnce(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

func TestOfFiftyAtOnceWithOnePartExactlyOneGetsIt(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		// Two nodes: each has its own connections.
		nodes := []*db.DB{dbtest.Open(t, rawURL), dbtest.Open(t, rawURL)}
		s := aShop(t, nodes[0], 1)
		for round := range 3 { // the first of them also opens the account
			var won atomic.Int64
			atOnce(50, func(i int) {
				err := nodes[i%2].Do(t.Context(), func(tx *db.Tx) error {
					_, ok, err := balance.Reserve(t.Context(), tx, balance.Ask{
						Site: s.id, User: s.pat, Message: id.New[id.Message](), Parts: 1, Admin: true,
					})
					if ok {
						won.Add(1)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
			if won.Load() != 1 {
				t.Errorf("%d got the one part", won.Load())
			}
			s.stands(t, 0, round+1)
			s.topUp(t, 1, fmt.Sprint(round))
		}
		openings := 0
		for _, e := range s.statement(t) {
			if e.Kind == balance.Opened {
				openings++
			}
		}
		if openings != 1 {
			t.Errorf("%d openings", openings)
		}
	})
}

func TestAHoldIsSettledOnceByManyAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		nodes := []*db.DB{dbtest.Open(t, rawURL), dbtest.Open(t, rawURL)}
		s := aShop(t, nodes[0], 60)
		var holds []id.Hold
		for range 6 {
			holds = append(holds, s.holds(t, 2))
		}
		nodes[0].Clock.Advance(25 * time.Hour)
		nodes[1].Clock.Advance(25 * time.Hour)
		var out, in atomic.Int64 // movements that settle, and refunds
		atOnce(48, func(i int) {
			hold := holds[i/2%len(holds)]
			var moved, refunded, tops bool
			var due int
			err := nodes[i%2].Do(t.Context(), func(tx *db.Tx) (err error) {
				moved, refunded, tops, due = false, false, false, 0
				switch i % 8 {
				case 0, 3, 5:
					moved, err = balance.Charge(t.Context(), tx, s.id, hold, 1+i%3)
				case 1, 2:
					moved, err = balance.Release(t.Context(), tx, s.id, hold)
				case 4:
					refunded, err = balance.Refund(t.Context(), tx, s.id, hold)
				case 6:
					due, err = balance.SettleDue(t.Context(), tx, 1)
				default:
					tops, err = balance.TopUp(t.Context(), tx, s.order(1, "the same"))
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if moved {
				out.Add(1)
			}
			out.Add(int64(due))
			if refunded || tops {
				in.Add(1)
			}
		})
		out.Add(int64(s.settleDue(t, 100)))
		if out.Load() != int64(len(holds)) {
			t.Errorf("%d settlements of %d holds", out.Load(), len(holds))
		}
		if want := 1 + len(holds) + int(out.Load()+in.Load()); len(s.statement(t)) != want {
			t.Errorf("%d entries, not %d", len(s.statement(t)), want)
		}
		if a := s.account(t); a.Held != 0 {
			t.Errorf("%+v", a)
		}
		s.audited(t)
	})
}

func TestATopUpAtOnceFromTwoNodesCountsOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		nodes := []*db.DB{dbtest.Open(t, rawURL), dbtest.Open(t, rawURL)}
		s := aShop(t, nodes[0], 0)
		var done atomic.Int64
		atOnce(12, func(i int) {
			var ok bool
			err := nodes[i%2].Do(t.Context(), func(tx *db.Tx) (err error) {
				ok, err = balance.TopUp(t.Context(), tx, s.order(25, "INV-1"))
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if ok {
				done.Add(1)
			}
		})
		if done.Load() != 1 {
			t.Errorf("counted %d times", done.Load())
		}
		s.stands(t, 25, 0)
		if n := len(s.events(t, audit.SMSToppedUp)); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestALowBalanceIsToldByOneOfMany(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		nodes := []*db.DB{dbtest.Open(t, rawURL), dbtest.Open(t, rawURL)}
		s := aShop(t, nodes[0], 9)
		var told atomic.Int64
		atOnce(10, func(i int) {
			var low bool
			err := nodes[i%2].Do(t.Context(), func(tx *db.Tx) (err error) {
				low, _, err = balance.RanLow(t.Context(), tx, s.id)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if low {
				told.Add(1)
			}
		})
		if told.Load() != 1 {
			t.Errorf("told %d times", told.Load())
		}
	})
}

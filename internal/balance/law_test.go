package balance_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/id"
)

// model is the balance of one site in the shortest words: a pot, and holds with a state.
type model struct {
	available, held int
	float           int
	holds           []*modelHold
	counted         map[string]bool
	// opening + top-ups − charges + refunds
	sum     int
	entries int
}

type modelHold struct {
	id      id.Hold
	parts   int
	charged int
	state   string
	due     time.Time
}

func (m *model) reserve(parts int, admin bool) bool {
	kept := m.float
	if admin {
		kept = 0
	}
	if m.available-parts < kept {
		return false
	}
	m.available, m.held = m.available-parts, m.held+parts
	m.entries++
	return true
}

func (m *model) charge(h *modelHold, parts int) bool {
	if h.state != "held" {
		return false
	}
	if parts == 0 {
		parts = h.parts
	}
	h.charged, h.state = min(parts, h.parts+m.available), "charged"
	m.held -= h.parts
	m.available += h.parts - h.charged
	m.sum -= h.charged
	m.entries++
	return true
}

func (m *model) release(h *modelHold) bool {
	if h.state != "held" {
		return false
	}
	h.state = "released"
	m.held, m.available = m.held-h.parts, m.available+h.parts
	m.entries++
	return true
}

func (m *model) refund(h *modelHold) bool {
	if h.state != "charged" {
		return false
	}
	h.state = "refunded"
	m.available, m.sum = m.available+h.charged, m.sum+h.charged
	m.entries++
	return true
}

func (m *model) settleDue(now time.Time) (n int) {
	for _, h := range m.holds {
		if h.state == "held" && !h.due.After(now) {
			m.charge(h, 0)
			n++
		}
	}
	return n
}

func (m *model) topUp(parts int, reference string) bool {
	if m.counted[reference] {
		return false
	}
	m.counted[reference] = true
	m.available, m.sum = m.available+parts, m.sum+parts
	m.entries++
	return true
}

// step does one random thing in the ledger and in the model, and compares the answers.
func (m *model) step(ctx context.Context, r *rapid.T, tx *db.Tx, s shop) error {
	sort := rapid.SampledFrom([]string{"reserve", "reserve", "reserve", "charge", "charge", "release", "refund", "due", "top up"}).Draw(r, "what")
	var got, want bool
	var err error
	switch {
	case sort == "reserve":
		a := balance.Ask{Site: s.id, User: s.pat, Message: id.New[id.Message](), Parts: rapid.IntRange(1, 4).Draw(r, "parts"), Admin: rapid.Bool().Draw(r, "admin")}
		var hold id.Hold
		hold, got, err = balance.Reserve(ctx, tx, a)
		if want = m.reserve(a.Parts, a.Admin); want {
			m.holds = append(m.holds, &modelHold{id: hold, parts: a.Parts, state: "held", due: tx.Now.Add(24 * time.Hour)})
		}
	case sort == "top up":
		parts, reference := rapid.IntRange(1, 9).Draw(r, "parts"), rapid.SampledFrom([]string{"a", "b", "c", balance.NoAnswer}).Draw(r, "reference")
		got, err = balance.TopUp(ctx, tx, s.order(parts, reference))
		want = m.topUp(parts, reference)
	case sort == "due":
		var n int
		n, err = balance.SettleDue(ctx, tx, 1000)
		if w := m.settleDue(tx.Now); err == nil && n != w {
			return fmt.Errorf("%d were due, not %d", n, w)
		}
	case len(m.holds) == 0:
		return nil
	default:
		h := m.holds[rapid.IntRange(0, len(m.holds)-1).Draw(r, "hold")]
		switch sort {
		case "charge":
			parts := rapid.IntRange(0, 6).Draw(r, "parts")
			got, err = balance.Charge(ctx, tx, s.id, h.id, parts)
			want = m.charge(h, parts)
		case "release":
			got, err = balance.Release(ctx, tx, s.id, h.id)
			want = m.release(h)
		case "refund":
			got, err = balance.Refund(ctx, tx, s.id, h.id)
			want = m.refund(h)
		}
	}
	if err == nil && got != want {
		return fmt.Errorf("%s: answered %v, not %v", sort, got, want)
	}
	return err
}

func TestTheLedgerIsThePotAndTheHoldsOfTheModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		twin := newShop(t, d, 30)
		twin.topUp(t, 1, "a")
		rapid.Check(t, func(r *rapid.T) {
			ctx := t.Context()
			d.Clock.Advance(25 * time.Hour) // nothing of the run before is left over
			twin.settleDue(t, 1000)
			opening := rapid.IntRange(0, 15).Draw(r, "opening")
			s := newShop(t, d, opening)
			m := &model{available: opening, sum: opening, float: 6, counted: map[string]bool{}}
			for range rapid.IntRange(1, 6).Draw(r, "transactions") {
				d.Clock.Advance(time.Duration(rapid.IntRange(0, 30).Draw(r, "hours")) * time.Hour)
				err := d.Do(ctx, func(tx *db.Tx) error {
					for range rapid.IntRange(1, 6).Draw(r, "steps") {
						if err := m.step(ctx, r, tx, s); err != nil {
							return err
						}
						m.compare(ctx, r, tx, s)
					}
					return nil
				})
				if err != nil {
					r.Fatal(err)
				}
			}
			twin.stands(t, 31, 0)
		})
	})
}

func (m *model) compare(ctx context.Context, r *rapid.T, from db.Reader, s shop) {
	a, err := balance.Of(ctx, from, s.d.Clock.Now(), s.id)
	if err != nil {
		r.Fatal(err)
	}
	if a.Available != m.available || a.Held != m.held || a.Float != min(m.float, m.available) {
		r.Fatalf("%+v, not %d available and %d held", a, m.available, m.held)
	}
	if a.Available < 0 || a.Held < 0 || a.Available+a.Held != m.sum {
		r.Fatalf("%+v, and opening + top-ups − charges + refunds is %d", a, m.sum)
	}
	all, err := balance.Statement(ctx, from, s.id, 0, 1)
	if err != nil {
		r.Fatal(err)
	}
	if m.entries > 0 && (len(all) != 1 || all[0].No != int64(m.entries+1)) {
		r.Fatalf("the last entry is %+v after %d movements", all, m.entries)
	}
	if err := balance.Audit(ctx, from, s.id); err != nil {
		r.Fatal(err)
	}
}

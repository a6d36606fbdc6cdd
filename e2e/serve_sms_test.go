package e2e_test

import (
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/sms/smstest"
)

// A site is sent at most 300 codes in 15 minutes, and each sign-in of a soak asks for
// two: whoever is beyond these works at the second site.
const (
	siteful = 100
	second  = "S3"
)

// texted is a product whose crowd of mechanics has mobiles, with a provider of SMS.
func texted(t *testing.T, url string, crowd int) (*e2etest.Product, *smstest.Fake) {
	t.Helper()
	p, sink, fake := e2etest.NewProduct(t, url), e2etest.StartSink(t), smstest.NewTwilio(t)
	p.Set("KEYTURN_SMTP_URL", sink.URL)
	p.Set("KEYTURN_SMS_URL", fake.URL())
	rows := e2etest.Crew()
	for n := range crowd {
		row := e2etest.Row{
			Ref: fmt.Sprintf("M%d", n), First: "Sam", Last: "Okafor", Email: mechanic(n), Mobile: mobile(n), Group: "Mechanic",
		}
		if n >= siteful {
			row.Site, row.SiteName, row.Xero = second, "Bayside Panel", "yes"
		}
		rows = append(rows, row)
	}
	p.People(t, rows)
	return p, fake
}

// drawn is a number from 0 to below n.
func drawn(t *testing.T, n int) int {
	t.Helper()
	d, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		t.Error(err)
		return 0
	}
	return int(d.Int64())
}

func mechanic(n int) string { return fmt.Sprintf("m%d@bayside.example", n) }

func mobile(n int) string { return fmt.Sprintf("+6149157%04d", 1000+n) }

// lastText waits for a text to a number beyond those that it had, and gives its code.
func lastText(t *testing.T, fake *smstest.Fake, to string, had int) string {
	t.Helper()
	code := ""
	e2etest.Until(t, "a text to "+to, func() bool {
		n := 0
		for _, m := range fake.Asked() {
			if m.To == to {
				n++
				_, code, _ = strings.Cut(m.Body, "#")
			}
		}
		return n > had
	})
	return code
}

func TestWithTheMailServerDownTheCodeThatComesBySMSSignsIn(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p, fake := texted(t, url, 2)
		p.Set("KEYTURN_SMTP_URL", "smtp://127.0.0.1:9?tls=none") // nobody listens there
		p.MustRun(t, "sms", "top-up", e2etest.Connected, "20", "--reference", "ORDER-1")
		p.Start(t)
		v := p.Visitor(t)
		v.Post(t, "/signin", "email", mechanic(0), "password", e2etest.Password).Leads(t, "/signin/code")
		began := time.Now()
		page := v.Get(t, "/signin/code")
		page.Is(t, http.StatusOK, "by SMS")
		if took := time.Since(began); took > time.Second {
			t.Errorf("the code page took %s", took)
		}
		// The one count of guesses goes over from channel to channel.
		for n := range 3 {
			v.Post(t, "/signin/code", "code", fmt.Sprintf("00000%d", n))
		}
		v.Post(t, "/signin/method", "method", "sms").Leads(t, "/signin/code")
		code := lastText(t, fake, mobile(0), 0)
		v.Post(t, "/signin/code", "code", otherCode(code, 1)).Is(t, http.StatusUnprocessableEntity, "1 try is left")
		v.Post(t, "/signin/code", "code", code).Leads(t, "/me")
		v.Get(t, "/me").Is(t, http.StatusOK, mechanic(0), "SMS")
		if faults := fake.Faults(); len(faults) > 0 {
			t.Errorf("the provider complains: %v", faults)
		}
	})
}

func TestOneSMSLeftAndFiftySignInsAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		const many = 50
		p, fake := texted(t, url, many)
		p.Set("KEYTURN_HASH_SLOTS", "2")
		p.MustRun(t, "sms", "top-up", e2etest.Connected, "4", "--reference", "ORDER-1") // three are the Admin's
		p.Start(t)
		all := make([]*e2etest.Visitor, many)
		for n := range all {
			all[n] = p.Visitor(t)
			all[n].Post(t, "/signin", "email", mechanic(n), "password", e2etest.Password).Leads(t, "/signin/code")
		}
		var together sync.WaitGroup
		for _, v := range all {
			together.Go(func() { v.Post(t, "/signin/method", "method", "sms") })
		}
		together.Wait()
		e2etest.Until(t, "the one text", func() bool { return len(fake.Taken()) > 0 })
		e2etest.Until(t, "the charge", func() bool { return statement(t, p, e2etest.Connected).charged == 1 })
		p.Stop(t)
		if s := statement(t, p, e2etest.Connected); len(fake.Taken()) != 1 || s.charged != 1 || s.available != 3 {
			t.Errorf("%d texts, %+v", len(fake.Taken()), s)
		}
	})
}

// ledger is what a statement adds up to.
type ledger struct {
	charged, unanswered, refunded, available, held int
}

// statement reads a site's statement and has the product prove it.
func statement(t *testing.T, p *e2etest.Product, site string) (l ledger) {
	t.Helper()
	p.MustRun(t, "sms", "balance", site) // fails if it does not add up
	rows, err := csv.NewReader(strings.NewReader(p.MustRun(t, "sms", "statement", site))).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("the statement has %d rows: %v", len(rows), err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	number := func(row []string, name string) int {
		n, err := strconv.Atoi(strings.TrimPrefix(row[column[name]], "'"))
		if err != nil {
			t.Fatalf("the statement's %s is %q", name, row[column[name]])
		}
		return n
	}
	for _, row := range rows[1:] {
		parts := max(number(row, "parts"), -number(row, "parts"))
		switch row[column["kind"]] {
		case "charge":
			l.charged += parts
			if row[column["reference"]] == "no_answer" {
				l.unanswered += parts
			}
		case "refund":
			l.refunded += parts
		}
	}
	l.available, l.held = number(rows[1], "available"), number(rows[1], "held")
	return l
}

// statements adds up those of several sites.
func statements(t *testing.T, p *e2etest.Product, sites []string) (all ledger) {
	t.Helper()
	for _, at := range sites {
		l := statement(t, p, at)
		all.charged, all.unanswered, all.refunded = all.charged+l.charged, all.unanswered+l.unanswered, all.refunded+l.refunded
		all.available, all.held = all.available+l.available, all.held+l.held
	}
	return all
}

// bad are the ways in which the provider fails, three times in ten.
var bad = []smstest.Way{
	smstest.TakeHangUp, smstest.TakeBroken, smstest.TakeGarbled, smstest.HangUp, smstest.Broken, smstest.BadGateway,
	smstest.TooMany, smstest.Unavailable, smstest.RefuseInside, smstest.RefuseOther,
}

// The numbers of a short run; with KEYTURN_TEST_SOAK=1 it is 10,000 sends and 50 kills on
// each engine, which takes its time.
func soak() (crowd, rounds int) {
	if os.Getenv("KEYTURN_TEST_SOAK") != "" {
		return 200, 50
	}
	return 24, 4
}

func TestTheLedgerEqualsTheProvidersOwnLogWhateverFails(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		crowd, rounds := soak()
		p, fake := texted(t, url, crowd)
		sites := []string{e2etest.Connected}
		if crowd > siteful {
			sites = append(sites, second)
		}
		for _, at := range sites {
			p.MustRun(t, "sms", "top-up", at, "90000", "--reference", "ORDER-1")
		}
		visitors := make([]*e2etest.Visitor, crowd)
		p.Start(t)
		for n := range visitors { // their numbers are proved by the first code
			visitors[n] = p.Visitor(t)
			visitors[n].Post(t, "/signin", "email", mechanic(n), "password", e2etest.Password).Leads(t, "/signin/code")
			visitors[n].Post(t, "/signin/method", "method", "sms").Leads(t, "/signin/code")
			visitors[n].Post(t, "/signin/code", "code", lastText(t, fake, mobile(n), 0)).Leads(t, "/me")
		}
		fake.Decide(func(int, smstest.Message) smstest.Way {
			if drawn(t, 10) < 3 {
				return bad[drawn(t, len(bad))]
			}
			return smstest.Take
		})
		asked, ahead, told := 0, time.Duration(0), 0
		for range rounds {
			asked += burst(t, p, visitors)
			p.Kill(t)
			// Forty codes a day go to one phone from places that are not known.
			ahead += 40 * time.Minute
			p.Set("KEYTURN_CLOCK_OFFSET", ahead.String())
			p.Start(t)
			taken := fake.Taken()
			for _, m := range taken[told:] {
				fake.Report(t.Context(), m, "sent", "delivered")
			}
			told = len(taken)
		}
		settled(t, p, fake, ahead, sites)
		s := statements(t, p, sites)
		t.Logf("%d sends asked for, %d kills; the provider took %d texts of %d parts; charged %d (of them %d by the rule of 24 hours, which it never saw), refunded %d, held %d",
			asked, rounds, len(fake.Taken()), fake.Parts(), s.charged, s.unanswered, s.refunded, s.held)
		if s.charged-s.unanswered-s.refunded != fake.Parts() || s.held != 0 {
			t.Errorf("the ledger says %d, the provider's log %d", s.charged-s.unanswered-s.refunded, fake.Parts())
		}
		if s.unanswered > fake.Parts()/2 {
			t.Errorf("%d of %d were charged without a word", s.unanswered, s.charged)
		}
		if faults := fake.Faults(); len(faults) > 0 {
			t.Errorf("the provider complains: %v", faults[:min(len(faults), 5)])
		}
	})
}

// burst has everybody ask for a code by SMS at once, and returns a moment later: some
// texts are on their way then.
func burst(t *testing.T, p *e2etest.Product, visitors []*e2etest.Visitor) (asked int) {
	t.Helper()
	var together sync.WaitGroup
	for n := range visitors {
		visitors[n] = p.Visitor(t)
		asked++
		together.Go(func() {
			v := visitors[n]
			if r, err := v.Try(v.Request(t, http.MethodPost, "/signin", e2etest.Form("email", mechanic(n), "password", e2etest.Password))); err != nil || r.Status != http.StatusSeeOther {
				return
			}
			_, _ = v.Try(v.Request(t, http.MethodPost, "/signin/method", e2etest.Form("method", "sms")))
		})
	}
	together.Wait()
	return asked
}

// settled lets the jobs of the dead process end, has the provider report everything it
// took, twice and shuffled, and moves the clock over the day after which what nobody
// answered is charged.
func settled(t *testing.T, p *e2etest.Product, fake *smstest.Fake, ahead time.Duration, sites []string) {
	t.Helper()
	before := -1
	e2etest.Within(t, 3*time.Minute, "the provider to be asked no more", func() bool {
		now := len(fake.Asked())
		still := now == before
		before = now
		time.Sleep(2 * time.Second)
		return still
	})
	for _, m := range fake.Taken() {
		fake.Report(t.Context(), m, "sent", "delivered")
	}
	p.Stop(t)
	p.Set("KEYTURN_CLOCK_OFFSET", (ahead + 25*time.Hour).String())
	p.Start(t)
	e2etest.Within(t, 3*time.Minute, "what is due to be settled", func() bool { return statements(t, p, sites).held == 0 })
	p.Stop(t)
}

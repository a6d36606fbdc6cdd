package e2e_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
)

func TestASiteThatConnectsLeadsEveryLiveSessionToTheSecondStep(t *testing.T) {
	t.Parallel()
	const many, third = 50, "S3"
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		var rows []e2etest.Row
		for i := range many {
			rows = append(rows,
				e2etest.Row{Site: e2etest.Twin, Ref: fmt.Sprint("M", i), Email: fmt.Sprintf("m%d@tyres.example", i), Group: "Mechanic"})
		}
		for i := range 3 {
			rows = append(rows, e2etest.Row{Site: third, SiteName: "Bayside Tyres", Email: fmt.Sprintf("m%d@third.example", i)})
		}
		p.People(t, rows)
		visitors := make([]*e2etest.Visitor, len(rows))
		hands := make(chan struct{}, 4)
		var all sync.WaitGroup
		for i, row := range rows {
			visitors[i] = p.Visitor(t)
			r := visitors[i].Request(t, http.MethodPost, "/signin", e2etest.Form("email", row.Email, "password", e2etest.Password))
			all.Go(func() {
				hands <- struct{}{}
				defer func() { <-hands }()
				if page, err := visitors[i].Try(r); err != nil || page.Header.Get("Location") != "/me" {
					t.Errorf("%s did not get in with the password alone: %d, %v", row.Email, page.Status, err)
				}
			})
		}
		all.Wait()
		if t.Failed() {
			return
		}
		for _, v := range visitors {
			v.Get(t, "/me").Is(t, http.StatusOK)
		}

		p.MustRun(t, "site", "connect", e2etest.Twin)
		from := time.Now()
		for i, v := range visitors[:many] {
			e2etest.Within(t, 5*time.Second-time.Since(from), rows[i].Email+" to be led to the second step", func() bool {
				page := v.Get(t, "/me")
				return page.Status == http.StatusSeeOther && page.Header.Get("Location") == "/signin/more"
			})
		}
		t.Logf("all %d sessions were led to the second step within %s", many, time.Since(from).Round(time.Millisecond))
		for _, v := range visitors[many:] {
			v.Get(t, "/me").Is(t, http.StatusOK)
		}

		first, email := visitors[0], rows[0].Email
		first.Get(t, "/signin/more").Is(t, http.StatusOK, "Bayside Tyres")
		before := first.Cookie(t, e2etest.SessionCookie)
		first.Post(t, "/signin/more", "method", "email").Leads(t, "/signin/code")
		code := e2etest.NextLetter(t, sink, email, 0).Code(t)
		first.Get(t, "/me").Leads(t, "/signin/more")
		first.Post(t, "/signin/code", "code", code).Leads(t, "/me")
		first.Get(t, "/me").Is(t, http.StatusOK, "a code by email")
		old := p.Visitor(t)
		old.Plant(t, e2etest.SessionCookie, before)
		old.Get(t, "/me").Leads(t, "/signin")
	})
}

package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
)

// C1: staff to whom no site is given look anybody of any site up, and it stands in no trail.
func TestAttackStaffLookAnybodyUpAtASiteThatIsNotGiven(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		key := joins(t, p, "robin@vendor.example")
		pass(t, p, 2*time.Minute)
		robin := console(t, p, "robin@vendor.example", key)
		before := p.MustRun(t, "audit", "export")
		page := robin.Get(t, "/staff/recoveries/new?email="+e2etest.Pat)
		nobody := robin.Get(t, "/staff/recoveries/new?email=nobody@nowhere.example")
		after := p.MustRun(t, "audit", "export")
		if page.Status == http.StatusOK {
			h1 := page.Body[strings.Index(page.Body, "<h1"):]
			t.Errorf("of a site that is not given: %d, of nobody: %d\n%.600s\nevents written by the look: %d", page.Status, nobody.Status, h1, strings.Count(after, "\n")-strings.Count(before, "\n"))
		}
	})
}

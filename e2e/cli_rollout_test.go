package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
	"keyturn/internal/calendar"
)

var proposalLine = regexp.MustCompile(`/staff/proposals/([0-9a-f-]{36})`)

// rolled is what `keyturn rollout status --json` says.
type rolled struct {
	State string
	Waves []struct {
		Day                  string
		Sites, Asked, ToCome int
	}
}

func statusOf(t *testing.T, p *e2etest.Product) (r rolled) {
	t.Helper()
	if err := json.Unmarshal([]byte(p.MustRun(t, "rollout", "status", "--json")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARolloutOfTheCommandLineStartsWhenAnotherOfTheStaffConfirmsIt(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		const robin, jess = "robin@vendor.example", "jess@vendor.example"
		first, second := joins(t, p, robin), joins(t, p, jess)
		pass(t, p, 2*time.Minute)
		robins := console(t, p, robin, first)
		who := userLine.FindStringSubmatch(robins.Get(t, "/staff").Body)
		robins.Post(t, "/staff/confirm", "user", who[1]).Is(t, http.StatusOK)

		day := (calendar.Rules{Region: "AU"}).First(calendar.On(time.Now(), time.UTC).Add(10))
		plan := filepath.Join(t.TempDir(), "plan.json")
		write := func(day string) {
			text := fmt.Sprintf(`{"name": "2FA", "owner": %q, "waves": [{"name": "All", "pick": "share", "value": "100", "day": %q}]}`, robin, day)
			if err := os.WriteFile(plan, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if said := p.MustRun(t, "rollout", "status", "--json"); said != "{}\n" {
			t.Errorf("with no rollout it says %q", said)
		}
		if said := p.Run(t, "rollout", "start", "--as", robin); said.Code != 1 {
			t.Errorf("a start of nothing ended with %d: %s", said.Code, said.Err)
		}
		write(calendar.Usual(day, time.Friday).String())
		if said := p.Run(t, "rollout", "plan", plan); said.Code != 2 || !strings.Contains(said.Err, "Friday") {
			t.Errorf("a Friday ended with %d: %s", said.Code, said.Err)
		}
		for typed, code := range map[string]int{"0": 2, "11": 2, "3": 0} {
			text := fmt.Sprintf(`{"name": "2FA", "owner": %q, "tolerance": %s, "waves": [{"name": "All", "pick": "share", "value": "100", "day": %q}]}`, robin, typed, day)
			if err := os.WriteFile(plan, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if said := p.Run(t, "rollout", "plan", plan); said.Code != code || code == 2 && !strings.Contains(said.Err, "tolerance") {
				t.Errorf("a tolerance of %s ended with %d: %s", typed, said.Code, said.Err)
			}
		}
		robins.Get(t, "/staff/rollout/plan").Is(t, http.StatusOK, `name="tolerance" type="text" inputmode="numeric" maxlength="2" autocomplete="off" value="3"`)
		write(day.String())
		if said := p.MustRun(t, "rollout", "plan", plan); !strings.Contains(said, "draft") || !strings.Contains(said, day.String()) {
			t.Errorf("the plan says %q", said)
		}
		if said := p.Run(t, "rollout", "start", "--as", e2etest.Pat); said.Code != 1 {
			t.Errorf("a site's Admin starts it: %d", said.Code)
		}
		p.MustRun(t, "rollout", "start", "--as", robin)
		if got := statusOf(t, p).State; got != "draft" {
			t.Fatalf("one person alone made it %s", got)
		}
		which := proposalLine.FindStringSubmatch(robins.Get(t, "/staff").Body)
		if which == nil {
			t.Fatal("nothing waits for a second person")
		}
		robins.Post(t, which[0], "do", "confirm").Is(t, http.StatusUnprocessableEntity)
		pass(t, p, 2*time.Minute)
		console(t, p, jess, second).Post(t, which[0], "do", "confirm").Is(t, http.StatusOK)
		e2etest.Until(t, "the dates of the sites", func() bool {
			r := statusOf(t, p)
			return r.State == "running" && r.Waves[0].Sites > 0
		})

		asked := func() bool {
			v := p.Visitor(t)
			return v.Post(t, "/signin", "email", e2etest.Pat, "password", e2etest.Password).Header.Get("Location") == "/signin/code"
		}
		if asked() {
			t.Error("Pat is asked before the date")
		}
		p.MustRun(t, "rollout", "pause")
		if said := p.Run(t, "rollout", "pause"); said.Code != 1 {
			t.Errorf("a second pause ended with %d", said.Code)
		}
		p.MustRun(t, "rollout", "resume")
		e2etest.Until(t, "the dates after the pause", func() bool { return statusOf(t, p).State == "running" })
		if said := p.Run(t, "rollout", "rollback", "1", "--as", robin, "--reason", "too early to be rolled back"); said.Code != 1 {
			t.Errorf("a roll back before the date ended with %d", said.Code)
		}
	})
}

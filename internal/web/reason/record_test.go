package reason_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"keyturn/internal/policy"
	"keyturn/internal/web/reason"
)

var (
	day  = time.Date(2026, 3, 12, 0, 20, 0, 0, time.UTC)
	read = reason.Reader{Zone: time.FixedZone("there", 10*3600), Now: day.AddDate(0, 8, 0)}
)

func TestEveryReasonAndOutcomeOfThePolicyHasWords(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../policy/decision.go")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`ReasonKey = "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(keys) < 20 {
		t.Fatalf("only %d reasons were found", len(keys))
	}
	for _, m := range keys {
		for _, at := range []time.Time{{}, day} {
			said := read.Sentence(policy.Reason{Key: policy.ReasonKey(m[1]), Since: at, Until: at, Method: policy.SMS})
			if !strings.HasSuffix(said, ".") || strings.Contains(said, m[1]+".") {
				t.Errorf("%s is said as %q", m[1], said)
			}
		}
	}
	for o := policy.Allow; o <= policy.Refuse; o++ {
		if reason.Outcome(o.String()) == "" {
			t.Errorf("the outcome %s has no words", o)
		}
	}
}

func TestAReasonSaysSinceWhenAndByWhom(t *testing.T) {
	t.Parallel()
	by := read
	by.By = "Pat Chen"
	if got := by.Sentence(policy.Reason{Key: policy.XeroConnected, Since: day}); got != "Xero was connected on 12 March 2026 by Pat Chen." {
		t.Error(got)
	}
	if got := read.Sentence(policy.Reason{Key: policy.XeroConnected, Since: day}); got != "Xero was connected on 12 March 2026." {
		t.Error(got)
	}
	if got := read.Sentence(policy.Reason{Key: "of_tomorrow"}); !strings.Contains(got, "of_tomorrow") {
		t.Error(got)
	}
}

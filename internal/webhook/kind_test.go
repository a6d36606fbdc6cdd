package webhook_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/internal/audit"
	"keyturn/internal/webhook"
)

func TestEveryKindThatLeavesNewsMeansSomethingAndNoOtherDoes(t *testing.T) {
	t.Parallel()
	told, meant := audit.Told(), webhook.Meant()
	for _, k := range told {
		if !slices.Contains(meant, k) {
			t.Errorf("%s leaves news, and nothing is said of it", k)
		}
	}
	for _, k := range meant {
		if !slices.Contains(told, k) {
			t.Errorf("%s means something, and leaves no news", k)
		}
	}
	if len(told) == 0 {
		t.Error("nothing is told")
	}
}

// The page for receivers speaks of each type and each change, and of no other.
func TestThePageForReceiversNamesEveryTypeAndChange(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(raw), "| type | `change` | when |")
	table, _, _ = strings.Cut(table, "## Verify")
	var named []string
	for _, m := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(table, -1) {
		named = append(named, m[1])
	}
	there := append(webhook.Changes(), string(webhook.Test))
	for _, w := range webhook.Types() {
		there = append(there, string(w))
	}
	slices.Sort(named)
	slices.Sort(there)
	if diff := cmp.Diff(slices.Compact(there), slices.Compact(named)); diff != "" {
		t.Error(diff)
	}
}

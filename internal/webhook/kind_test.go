package webhook_test

import (
	"slices"
	"testing"

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

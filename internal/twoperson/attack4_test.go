package twoperson_test

import (
	"testing"

	"keyturn/internal/twoperson"
)

// B1: whom a proposal is about takes it back, each time, without a proof.
func TestAttackWhomItIsAboutTakesItBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		which, _ := w.propose(t, w.sam, string(w.toni.User.ID))
		refused, err := w.desk.Cancel(t.Context(), w.toni, which)
		if err == nil && refused == "" {
			t.Errorf("Toni cancelled what Sam proposed about Toni; Uma's confirm: %q (want done)", w.confirm(t, w.uma, which))
		}
		_ = twoperson.Over
	})
}

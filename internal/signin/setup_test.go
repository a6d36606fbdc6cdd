package signin_test

import (
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/check"
	"keyturn/internal/setup"
	"keyturn/internal/signin"
)

func TestUnpluggingXeroDropsNoRequirement(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		token := w.in(t, w.pat, home)
		for _, want := range []bool{true, false} {
			if done, err := w.setup.DisconnectXero(t.Context(), command, w.xero.ID); done != want || err != nil {
				t.Errorf("disconnected: %t, %v", done, err)
			}
		}
		if done, err := w.setup.DisconnectXero(t.Context(), command, w.twin.ID); done || err != nil {
			t.Errorf("a site that never was: %t, %v", done, err)
		}
		w.expect(t, token, check.In)
		w.begin(t, w.kim, home)
		w.connect(t, w.xero)
		if done, err := w.setup.ConnectXero(t.Context(), command, w.xero.ID, setup.Connection{}); done || err != nil {
			t.Errorf("connected twice: %t, %v", done, err)
		}
		all, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.xero.ID}, 200)
		if err != nil {
			t.Fatal(err)
		}
		var got []audit.Kind
		for _, e := range slices.Backward(all) {
			if e.User == "" {
				got = append(got, e.Kind)
			}
		}
		want := []audit.Kind{audit.SiteAdded, audit.XeroConnected, audit.XeroDisconnected, audit.XeroConnected}
		if !slices.Equal(got, want) {
			t.Errorf("the site's trail: %q", got)
		}
	})
}

func TestAConnectionForTonightAsksNobodyBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		from := w.db.Clock.Now().Add(20 * time.Minute)
		done, err := w.setup.ConnectXero(t.Context(), command, w.free.ID, setup.Connection{By: "Alex Novak", From: from})
		if err != nil || !done {
			t.Fatal(done, err)
		}
		token := w.single(t, w.alex, home)
		w.expect(t, token, check.In)
		w.db.Clock.Advance(from.Sub(w.db.Clock.Now()))
		w.expect(t, token, check.More)
		if next := w.try(t, string(w.alex.Login), rightPassword, home); next.Step != signin.AskCode {
			t.Errorf("from then on: %+v", next)
		}
	})
}

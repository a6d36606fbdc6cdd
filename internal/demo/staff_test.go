package demo_test

import (
	"testing"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/demo"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

func TestTheVendorsPeoplePassWithAnAuthenticatorThatTheDeskShows(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a demo that was stopped half way seeds again
		if err := demo.SeedStaff(t.Context(), d, keys); err != nil {
			t.Fatal(err)
		}
	}
	now := d.Clock.Now()
	for _, one := range demo.Staff() {
		who, err := user.ByLogin(t.Context(), d, address.Canonical(one.Email))
		if err != nil {
			t.Fatal(err)
		}
		facts, err := standing.Source{}.Of(t.Context(), d, now, standing.Asker{User: who, Sites: []id.Site{}, Client: policy.Client{Kind: policy.ClientWeb}})
		if err != nil {
			t.Fatal(err)
		}
		said := policy.Decide(facts, now)
		if said.Outcome != policy.Ask || len(said.Offered) != 1 || said.Offered[0].Kind != policy.TOTP {
			t.Errorf("%s: %+v", one.Name, said)
		}
		digits, until, err := demo.Authenticator(t.Context(), d, one.Email, now)
		if err != nil || len(digits) != 6 || !until.After(now) {
			t.Errorf("%s: %q until %v, %v", one.Name, digits, until, err)
		}
	}
	if _, _, err := demo.Authenticator(t.Context(), d, "pat@baysideauto.example", now); err == nil {
		t.Error("a site's user has an authenticator that the desk shows")
	}
}

package authority_test

import (
	"context"
	"errors"
	"testing"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
)

func TestAProgramIsAManagerOfItsSitesWhileItsKeyWorksAndNobodyElse(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		command := audit.Actor{Kind: audit.ActorCommand, ID: "test"}
		do := func(fn func(ctx context.Context, tx *db.Tx) error) {
			t.Helper()
			if err := d.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
		}
		var own, twin site.Site
		var k apikey.Key
		zone, err := site.Zone("Australia/Brisbane")
		if err != nil {
			t.Fatal(err)
		}
		do(func(ctx context.Context, tx *db.Tx) (err error) {
			if own, err = site.Add(ctx, tx, site.Site{Ref: "S1", Name: "Bayside", Region: "AU", Zone: zone}); err != nil {
				return err
			}
			if twin, err = site.Add(ctx, tx, site.Site{Ref: "S2", Name: "Bayside", Region: "AU", Zone: zone}); err != nil {
				return err
			}
			k, _, err = apikey.Make(ctx, tx, command, apikey.Order{Name: "web", Scopes: []apikey.Scope{apikey.WriteUsers}, Sites: []id.Site{own.ID}})
			return err
		})
		now := d.Clock.Now()
		by := authority.ByKey(k, apikey.WriteUsers, own.ID, "Vendor")
		m, err := authority.Manager(t.Context(), d, now, by)
		if err != nil || m.Group != policy.GroupOwner || m.User != "" || m.Site != own.ID {
			t.Errorf("%+v, %v", m, err)
		}
		if a := by.Actor(); a.Kind != audit.ActorClient || a.ID != string(k.ID) {
			t.Errorf("%+v", a)
		}
		for name, other := range map[string]authority.Bearer{
			"the twin's site": authority.ByKey(k, apikey.WriteUsers, twin.ID, "Vendor"), "another scope": authority.ByKey(k, apikey.WriteRequests, own.ID, "Vendor"),
			"no site": authority.ByKey(k, apikey.WriteUsers, "", "Vendor"), "no key": authority.ByKey(apikey.Key{}, apikey.WriteUsers, own.ID, "Vendor"),
		} {
			if _, err := authority.Manager(t.Context(), d, now, other); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, admin := authority.Admin(t.Context(), d, now, by)
		_, fresh := authority.Fresh(t.Context(), d, now, standing.Source{}, by)
		for name, err := range map[string]error{"an Admin": admin, "staff": authority.Staff(t.Context(), d, now, by), "present": authority.Present(t.Context(), d, now, by), "fresh": fresh} {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("a program is %s: %v", name, err)
			}
		}
		do(func(ctx context.Context, tx *db.Tx) error { _, err := apikey.End(ctx, tx, command, "web"); return err })
		if _, err := authority.Manager(t.Context(), d, now, by); !errors.Is(err, fault.NotFound) {
			t.Errorf("an ended key: %v", err)
		}
	})
}

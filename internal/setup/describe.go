package setup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/site"
)

// Described is what came of describing a site.
type Described struct {
	Site site.Site
	// Added says that the site was made, Changed that it was or that it is another now.
	Added, Changed bool
}

// Describe makes a site what the host product says that it is: name, region, time zone and
// account manager, and nothing of what it requires. One that is not there is added, if the
// caller may; otherwise it is fault.NotFound. The same again changes nothing.
//
// A site that moves to another time zone keeps the moments that were written for it: a date
// of the rollout that lies ahead stays the same moment.
func (d *Desk) Describe(ctx context.Context, by audit.Actor, s site.Site, mayAdd bool) (out Described, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		out, err = describe(ctx, tx, by, s, mayAdd)
		return err
	})
	return out, err
}

func describe(ctx context.Context, tx *db.Tx, by audit.Actor, s site.Site, mayAdd bool) (Described, error) {
	was, err := site.ByRef(ctx, tx, s.Ref)
	if errors.Is(err, fault.NotFound) && mayAdd {
		added, err := add(ctx, tx, by, s)
		return Described{Site: added, Added: true, Changed: true}, err
	}
	if err != nil {
		return Described{}, fmt.Errorf("find a site: %w", err)
	}
	is := was
	is.Name, is.Region, is.Zone, is.AccountManager = s.Name, s.Region, s.Zone, s.AccountManager
	facts := described(was, is)
	if len(facts) == 0 {
		return Described{Site: was}, nil
	}
	if err := site.Describe(ctx, tx, was, is); err != nil {
		return Described{}, err
	}
	return Described{Site: is, Changed: true}, audit.Record(ctx, tx, audit.Event{
		Kind: audit.SiteChanged, Actor: by, Site: was.ID, Facts: facts,
	})
}

// described are what a site was and is, of what changed. The address of the account manager
// is that of a person: facts are kept for good, and only say that it is another.
func described(was, is site.Site) map[string]string {
	facts := map[string]string{}
	note := func(what, before, after string) {
		if before != after {
			facts[what], facts[what+"_was"] = after, before
		}
	}
	note("name", was.Name, is.Name)
	note("region", was.Region, is.Region)
	note("time_zone", was.Zone.String(), is.Zone.String())
	if !strings.EqualFold(was.AccountManager, is.AccountManager) {
		facts["account_manager"] = "another"
	}
	return facts
}

func add(ctx context.Context, tx *db.Tx, by audit.Actor, s site.Site) (site.Site, error) {
	added, err := site.Add(ctx, tx, s)
	if err != nil {
		return added, err
	}
	return added, audit.Record(ctx, tx, audit.Event{
		Kind: audit.SiteAdded, Actor: by, Site: added.ID, Facts: map[string]string{"ref": added.Ref},
	})
}

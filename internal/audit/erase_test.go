package audit_test

import (
	"context"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

func TestErasureReachesTheSplitAndTheRequestThatSomebodyCameBy(t *testing.T) {
	t.Parallel()
	const (
		mine  = "0198f0a0-0000-7000-8000-0000000000d1"
		other = "0198f0a0-0000-7000-8000-0000000000d2"
	)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		by := audit.Actor{Kind: audit.ActorUser, ID: string(pat)}
		made := func(request, login string) audit.Event {
			return audit.Event{
				Kind: audit.RequestMade, Actor: by, Site: bayside,
				Facts: map[string]string{audit.FactRequest: request}, Personal: map[string]string{"login": login},
			}
		}
		split := func(requests, people string) audit.Event {
			return audit.Event{
				Kind: audit.SplitPlanned, Actor: by, Site: bayside, User: pat,
				Facts: map[string]string{audit.FactRequests: requests}, Personal: map[string]string{audit.PersonalPeople: people},
			}
		}
		accepted := made(mine, "")
		accepted.Kind, accepted.User = audit.InvitationAccepted, kim
		record(t, d, made(mine, "kim"), made(other, "max"), split(other+" "+mine, "Max, Kim"), split(other, "Max"), accepted)
		then := checkpoint(t, d)
		do(t, d, func(ctx context.Context, tx *db.Tx) error {
			n, err := audit.EraseFor(ctx, tx, audit.Actor{Kind: audit.ActorCommand, ID: "erase"}, kim, "request")
			if n != 2 {
				t.Errorf("%d values were erased", n)
			}
			return err
		})
		green(t, verifiedAgainst(t, d, then))
		all, err := audit.List(t.Context(), d, audit.Filter{Site: bayside}, 10)
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, e := range all {
			left += len(e.Personal)
			if e.Personal["login"] == "kim" || e.Personal[audit.PersonalPeople] == "Max, Kim" {
				t.Errorf("%s still has %v", e.Kind, e.Personal)
			}
		}
		if left != 2 {
			t.Errorf("%d values of somebody else are left", left)
		}
	})
}

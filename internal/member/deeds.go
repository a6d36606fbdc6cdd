package member

import (
	"context"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

// deedsFor is how far back it is told what somebody did, and deedsMost how many of the
// site's events are looked through for it.
const (
	deedsFor  = 30 * 24 * time.Hour
	deedsMost = 5000
)

// Deed is one thing that somebody did or made, that an Admin should look at when they have
// left.
type Deed struct {
	At   time.Time
	Kind audit.Kind
	// About is whom it was about; empty: the site. It may be the person.
	About id.User
}

// weighty are the kinds of events that are told: what changed who gets in, and how.
var weighty = []audit.Kind{
	audit.MethodAdded, audit.MethodRemoved, audit.MethodLinked, audit.RecoveryCodesMade, audit.PasswordChanged, audit.PasswordReset,
	audit.DeviceRemembered, audit.HelpCodeGiven, audit.HelpApproved, audit.LoginChanged, audit.UserAdded, audit.UserInvited,
	audit.UserRenamed, audit.MembershipAdded, audit.MembershipChanged, audit.MemberLeft, audit.SiteChanged,
	audit.XeroConnected, audit.XeroDisconnected, audit.LoginsJoined,
}

// Deeds gives what a member did and made at a site in the last 30 days, the newest first,
// 100 at most. cut says that there may be more.
func Deeds(ctx context.Context, from db.Reader, now time.Time, at id.Site, who id.User) (deeds []Deed, cut bool, err error) {
	const page, most = 200, 100
	f := audit.Filter{Site: at}
	for seen := 0; seen < deedsMost; seen += page {
		all, err := audit.List(ctx, from, f, page)
		if err != nil {
			return nil, false, err
		}
		for _, e := range all {
			if now.Sub(e.At) > deedsFor {
				return deeds, false, nil
			}
			f.Before = e.Place
			if e.Actor.ID != string(who) || !slices.Contains(weighty, e.Kind) {
				continue
			}
			if len(deeds) == most {
				return deeds, true, nil
			}
			deeds = append(deeds, Deed{At: e.At, Kind: e.Kind, About: e.User})
		}
		if len(all) < page {
			return deeds, false, nil
		}
	}
	return deeds, true, nil
}

package audit

import (
	"context"
	"fmt"
	"slices"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Told are the kinds of events that programs outside may be told of (webhooks). Each leaves
// a row of news, in the transaction that records it: whoever tells needs no call from the
// feature, and what is told happened.
func Told() []Kind { return slices.Clone(told) }

var told = []Kind{
	UserAdded, UserRenamed, LoginChanged, LoginUndone, LoginsJoined,
	MembershipAdded, MembershipChanged, InvitationAccepted, MemberLeft, AccessEnded, MembershipRetired,
	MethodAdded, MethodProved, MethodRemoved, RecoveryCodesMade,
	SiteChanged, RequirementLowered, XeroConnected, XeroDisconnected,
	HelpCodeGiven, SignInRefused, SMSRanLow,
	RolloutStarted, RolloutPaused, RolloutResumed, RolloutEnded, RolloutWaveMoved, RolloutWaveBack,
	RolloutSitePlaced, RolloutSiteDated, RolloutSiteHeld, RolloutSiteExtended, RolloutSitePaused, RolloutSiteBack,
}

// told says whether an event of this kind leaves a row of news.
func (k Kind) told() bool { return slices.Contains(told, k) }

// mostNews bounds how much news is read at once.
const mostNews = 200

// News gives events that nobody has told of yet, the oldest first, without what is personal;
// at most limit of them, 200 in all. One whose body is not as it was written has its id and
// no Kind: there is nothing to tell of it.
func News(ctx context.Context, from db.Reader, limit int) ([]Entry, error) {
	rows, err := news(ctx, from, min(max(limit, 1), mostNews))
	if err != nil {
		return nil, fmt.Errorf("read news: %w", err)
	}
	all := make([]Entry, 0, len(rows))
	for _, r := range rows {
		e, err := r.entry(nil)
		if err != nil || e.ID != r.event {
			e = Entry{ID: r.event}
		}
		all = append(all, e)
	}
	return all, nil
}

// Taken removes an event from the news, in the transaction that stores what is told of it;
// false if somebody else has taken it.
func Taken(ctx context.Context, tx *db.Tx, which id.Event) (bool, error) {
	n, err := takeNews(ctx, tx, which)
	if err != nil {
		return false, fmt.Errorf("take news: %w", err)
	}
	return n == 1, nil
}

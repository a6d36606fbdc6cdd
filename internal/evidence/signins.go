package evidence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
)

// mostWithout is how many sign-ins without a second factor are listed of one site. All are
// counted.
const mostWithout = 1000

// signIns counts the times that the site was entered in a period, as the trail has them.
// enforced says whether every office member had to pass a second factor at a moment.
func (s *Site) signIns(ctx context.Context, from db.Reader, at id.Site, since, until time.Time, enforced func(time.Time) bool) error {
	s.SignIns.Levels = map[string]int{}
	err := audit.Walk(ctx, from, at, audit.SiteEntered, since, until, func(e audit.Entry) error {
		s.SignIns.All++
		switch acr := e.Facts["acr"]; judge(e.Facts, func() bool { return enforced(e.At) }) {
		case passed:
			s.SignIns.Passed++
			s.SignIns.Levels[acr]++
		case remembered:
			s.SignIns.Remembered++
		case exempt:
			s.SignIns.Exempt++
		case before:
			s.SignIns.Before++
		case without:
			if s.SignIns.Without++; len(s.Without) < mostWithout {
				s.Without = append(s.Without, SignIn{At: e.At, Event: string(e.ID), Seq: e.Seq, User: string(e.User), Record: e.Facts})
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("count sign-ins: %w", err)
	}
	return nil
}

// how is how somebody got in.
type how int

const (
	passed how = iota
	remembered
	exempt
	before
	without
)

// judge says how a sign-in ended, by its why-record and by what the policy says of its
// moment today. Either is enough to have required a second factor: a record that says so,
// or dates that do.
func judge(record map[string]string, enforced func() bool) how {
	if level, known := policy.ParseURN(record["acr"]); known && level >= policy.LevelOf(policy.Email) {
		return passed
	}
	_, reasons, _ := policy.Recorded(record)
	has := func(keys ...policy.ReasonKey) bool {
		return slices.ContainsFunc(reasons, func(r policy.Reason) bool { return slices.Contains(keys, r.Key) })
	}
	switch {
	case has(policy.DeviceRemembered):
		return remembered
	case has(policy.MobileExempt):
		return exempt
	case has(policy.XeroConnected, policy.XeroWasConnected, policy.EnforcedSince), enforced():
		return without
	}
	return before
}

func (s *SignIns) add(o SignIns) {
	s.All += o.All
	s.Passed += o.Passed
	s.Remembered += o.Remembered
	s.Exempt += o.Exempt
	s.Before += o.Before
	s.Without += o.Without
	for level, n := range o.Levels {
		s.Levels[level] += n
	}
}

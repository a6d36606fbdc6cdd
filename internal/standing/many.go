package standing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// OfAll reads the facts of a fresh sign-in on the web at one site, for many of its
// members, with a handful of queries for all of them: it is Of for each, from a place
// where nobody is known.
func (s Source) OfAll(ctx context.Context, from db.Reader, now time.Time, at id.Site, who []user.User) (map[id.User]policy.Facts, error) {
	ids := make([]id.User, len(who))
	for i, u := range who {
		ids[i] = u.ID
	}
	memberships, err := site.MembershipsOfAll(ctx, from, ids)
	if err != nil {
		return nil, err
	}
	people, err := s.people(ctx, from, now, who, ids)
	if err != nil {
		return nil, err
	}
	all, places := make(map[id.User]policy.Facts, len(who)), map[id.Site]place{}
	for _, u := range who {
		f := policy.Facts{Client: policy.Client{Kind: policy.ClientWeb}, User: people[u.ID]}
		for _, m := range memberships[u.ID] {
			p, seen := places[m.Site]
			if !seen {
				if p, err = s.place(ctx, from, now, m.Site); err != nil {
					return nil, err
				}
				places[m.Site] = p
			}
			fact, err := s.member(ctx, from, now, p, m)
			if err != nil {
				return nil, err
			}
			if m.Site == at {
				f.Memberships = append(f.Memberships, fact)
			} else {
				f.Others = append(f.Others, fact)
			}
		}
		all[u.ID] = f
	}
	return all, nil
}

// people are the users themselves, with their methods.
func (s Source) people(ctx context.Context, from db.Reader, now time.Time, who []user.User, ids []id.User) (map[id.User]policy.User, error) {
	methods, err := method.OfAll(ctx, from, ids)
	if err != nil {
		return nil, err
	}
	left, err := method.RecoveryLeftOfAll(ctx, from, ids)
	if err != nil {
		return nil, err
	}
	var guessed []method.Method
	for _, id := range ids {
		guessed = append(guessed, slices.DeleteFunc(slices.Clone(methods[id]), func(m method.Method) bool { return m.Kind == policy.Recovery })...)
	}
	resting, err := method.RestingOfAll(ctx, from, now, guessed)
	if err != nil {
		return nil, fmt.Errorf("read what is left of methods' guesses: %w", err)
	}
	people := make(map[id.User]policy.User, len(who))
	for _, u := range who {
		fact := userFact(u)
		for _, m := range methods[u.ID] {
			one := s.method(m)
			if m.Kind == policy.Recovery {
				one.Left = left[u.ID]
			} else {
				one.RestingUntil = resting[m.ID]
			}
			fact.Methods = append(fact.Methods, one)
		}
		people[u.ID] = fact
	}
	return people, nil
}

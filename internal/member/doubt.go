package member

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/login"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/user"
)

// doubts asks to look again at what is allowed and probably not meant.
func (d *Desk) doubts(ctx context.Context, tx *db.Tx, s *saving) (saved Saved, err error) {
	if s.has(FieldEmail) {
		saved.Doubts, saved.Suggested = doubtsOf(s.to)
	}
	for _, ask := range []func(context.Context, *db.Tx, *saving, *Saved) (Doubt, error){namesake, sharedMobile, d.waysLost} {
		doubt, err := ask(ctx, tx, s, &saved)
		if err != nil {
			return saved, err
		}
		if doubt != "" {
			saved.Doubts = append(saved.Doubts, doubt)
		}
	}
	if saved.Sure = sure(saved.Doubts, s.typed.Now); saved.Sure != s.typed.Sure && saved.Sure != "" {
		saved.Refused = Doubtful
	}
	return saved, nil
}

// namesake finds another active member with the same name: what either of them did would
// read as the other's deed.
func namesake(ctx context.Context, tx *db.Tx, s *saving, saved *Saved) (Doubt, error) {
	if !s.has(FieldName) {
		return "", nil
	}
	name := strings.TrimSpace(s.typed.Now.First + " " + s.typed.Now.Last)
	who, err := memberByName(ctx, tx, s.at.ID, s.user.ID, name)
	if errors.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look who has a name: %w", err)
	}
	saved.Namesake = who
	return Namesake, nil
}

// sharedMobile finds another member with the same number.
func sharedMobile(ctx context.Context, tx *db.Tx, s *saving, saved *Saved) (Doubt, error) {
	if !s.has(FieldMobile) || s.mobile == "" {
		return "", nil
	}
	who, err := memberByMobile(ctx, tx, s.at.ID, s.user.ID, s.mobile)
	if errors.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look who has a number: %w", err)
	}
	saved.Who = who
	return SharedMobile, nil
}

// waysLost asks the policy whether the form leaves somebody without any way to pass, who has
// one; and notes where it takes away a number that they proved, all the same.
func (d *Desk) waysLost(ctx context.Context, tx *db.Tx, s *saving, _ *Saved) (Doubt, error) {
	all, err := d.Standing.OfAll(ctx, tx, tx.Now, s.at.ID, []user.User{s.user})
	if err != nil {
		return "", fmt.Errorf("read the facts of a member: %w", err)
	}
	was := all[s.user.ID]
	is, err := s.facts(ctx, tx, was)
	if err != nil {
		return "", err
	}
	before := policy.Readiness(was, tx.Now).Mark
	switch {
	case policy.Readiness(is, tx.Now).Mark == policy.NeedsHelp && (before != policy.NeedsHelp || s.another()):
		return NoWayIn, nil
	case s.cleared() && !s.another() && slices.ContainsFunc(s.methods, func(m method.Method) bool {
		return m.Kind == policy.SMS && !m.ProvedAt.IsZero() && !m.Pending
	}):
		return ProvedGone, nil
	}
	return "", nil
}

// cleared says that the form takes the mobile away.
func (s saving) cleared() bool { return s.has(FieldMobile) && s.mobile == "" }

// facts are those by which the policy would decide if the form were saved.
func (s saving) facts(ctx context.Context, tx *db.Tx, f policy.Facts) (policy.Facts, error) {
	to := s.typed.Now.membership(s.member)
	f.Memberships = slices.Clone(f.Memberships)
	for i := range f.Memberships {
		m := &f.Memberships[i]
		m.Group, m.Kind, m.Status, m.Required2FA = to.Group, to.Kind, to.Status, to.TwoFA
	}
	if s.another() { // nothing carries over
		f.Others, f.User = nil, policy.User{Methods: []policy.Method{{Kind: policy.Email, LinkedAt: tx.Now}}}
		if s.mobile != "" {
			f.User.Methods = append(f.User.Methods, policy.Method{Kind: policy.SMS, LinkedAt: tx.Now})
		}
		return f, nil
	}
	proved := slices.ContainsFunc(s.methods, func(m method.Method) bool { return !m.ProvedAt.IsZero() && !m.Pending })
	f.User.Methods = slices.DeleteFunc(slices.Clone(f.User.Methods), func(m policy.Method) bool {
		return m.Kind == policy.SMS && (s.cleared() || s.has(FieldMobile) && m.ProvedAt.IsZero()) || m.Kind == policy.Email && s.has(FieldEmail)
	})
	if s.has(FieldMobile) && s.mobile != "" {
		f.User.Methods = append(f.User.Methods, policy.Method{Kind: policy.SMS, LinkedAt: tx.Now, Pending: proved})
	}
	if !s.has(FieldEmail) {
		return f, nil
	}
	awaits, err := login.Awaits(ctx, tx, s.user.ID, s.to)
	f.User.Methods = append(f.User.Methods, policy.Method{Kind: policy.Email, LinkedAt: tx.Now, AwaitsProof: awaits})
	return f, err
}

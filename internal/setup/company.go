package setup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// Refused is why nothing was changed; empty if it was.
type Refused string

// The refusals.
const (
	// NotFresh says that the admin must prove again who they are.
	NotFresh Refused = "not_fresh"
	// Changed says that somebody else saved meanwhile: what was left is not there any more.
	Changed Refused = "changed"
	// Same says that the settings are like that already.
	Same Refused = "same"
	// Held says that Xero holds the setting, or the length, that should be changed.
	Held Refused = "held"
	// NotOnOffer says that there is no such setting.
	NotOnOffer Refused = "not_on_offer"
	// NotYet says that the requirement may be lowered later.
	NotYet Refused = "not_yet"
	// Nothing says that no connection left anything behind to lower.
	Nothing Refused = "nothing"
)

// The choices, in the order in which pages show them.
var (
	Settings  = []policy.Setting{policy.SettingOff, policy.SettingPerUser, policy.SettingEveryone}
	Remembers = []policy.Remember{policy.RememberOff, policy.RememberDaily, policy.Remember7, policy.Remember14, policy.Remember30}
	// Weakests are the weakest methods that a site may accept; TOTP stands for
	// authenticator and passkey only.
	Weakests = []policy.MethodKind{policy.Email, policy.SMS, policy.TOTP}
)

// WithXero are the lengths that a site may choose while a connection to Xero holds it: a
// longer one would not be kept to (ATO DSP framework, under 24 hours).
var WithXero = []policy.Remember{policy.RememberOff, policy.RememberDaily}

// Company is how a site stands: what it chose, and what holds it.
type Company struct {
	Site   site.Site
	Choice site.Choice
	// Ties are the policy's reasons for which a connection to Xero, present or past,
	// requires 2FA of every office member now; none: it does not.
	Ties []policy.Reason
	// Coming are the dates on which one will.
	Coming []policy.Reason
	// Lowerable is from when on an admin may lower what a past connection left behind; zero
	// where nothing is to be lowered.
	Lowerable time.Time
	// Lowered is when that was done; zero if it was not.
	Lowered time.Time
}

// Held says that neither switch can be turned off.
func (c Company) Held() bool { return len(c.Ties) > 0 }

// Company reads how a site stands, by the policy.
func (d *Desk) Company(ctx context.Context, from db.Reader, now time.Time, at id.Site) (Company, error) {
	s, err := site.ByID(ctx, from, at)
	if err != nil {
		return Company{}, fmt.Errorf("find a site: %w", err)
	}
	c := Company{Site: s, Choice: s.Choice()}
	anybody, err := d.Standing.Place(ctx, from, now, site.Membership{
		Site: at, Group: policy.GroupUser, Kind: policy.Office, Status: policy.Active,
	})
	if err != nil {
		return c, fmt.Errorf("read what a site requires: %w", err)
	}
	for _, i := range anybody.Integrations {
		if i.LoweredAt.After(c.Lowered) {
			c.Lowered = i.LoweredAt
		}
	}
	facts := policy.Facts{Memberships: []policy.Membership{anybody}, Client: policy.Client{Kind: policy.ClientWeb}}
	for _, r := range policy.Decide(facts, now).Reasons {
		switch r.Key { //nolint:exhaustive // the others are about a person
		case policy.XeroConnected, policy.EnforcedSince:
			c.Ties = append(c.Ties, r)
		case policy.XeroWasConnected:
			c.Ties, c.Lowerable = append(c.Ties, r), r.Until
		case policy.DateToCome:
			c.Coming = append(c.Coming, r)
		}
	}
	return c, nil
}

// May says whether a site in this standing may choose this.
func (c Company) May(to site.Choice) Refused {
	switch {
	case !slices.Contains(Settings, to.TwoFA), !slices.Contains(Remembers, to.Remember), !slices.Contains(Weakests, to.Weakest):
		return NotOnOffer
	case c.Held() && (to.TwoFA != c.Choice.TwoFA || to.Remember != c.Choice.Remember && !slices.Contains(WithXero, to.Remember)):
		return Held
	case to == c.Choice:
		return Same
	}
	return ""
}

// Save stores other settings in place of was, what the admin saw. It takes a fresh proof;
// everybody who is signed in at the site is decided again, and all admins are told.
// fault.NotFound for whoever is no Admin of the site that their session is in.
func (d *Desk) Save(ctx context.Context, by authority.Bearer, was, to site.Choice) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused, err = d.save(ctx, tx, by, was, to)
		return err
	})
	return refused, err
}

func (d *Desk) save(ctx context.Context, tx *db.Tx, by authority.Bearer, was, to site.Choice) (Refused, error) {
	c, refused, err := d.forChange(ctx, tx, by)
	if err != nil || refused != "" {
		return refused, err
	}
	if c.Choice != was {
		return Changed, nil
	}
	if refused = c.May(to); refused != "" {
		return refused, nil
	}
	s := c.Site
	s.TwoFA, s.Remember, s.Weakest = to.TwoFA, to.Remember, to.Weakest
	if to.TwoFA != was.TwoFA {
		s.TwoFASince, s.TwoFABy = tx.Now, by.User.Name()
	}
	done, err := site.Choose(ctx, tx, s, was)
	if err != nil || !done {
		return Changed, err
	}
	err = audit.Record(ctx, tx, audit.Event{
		Kind: audit.SiteChanged, Actor: by.Actor(), Site: s.ID,
		Facts: map[string]string{
			"twofa_was": string(was.TwoFA), "twofa": string(to.TwoFA), "remember_was": string(was.Remember), "remember": string(to.Remember),
			"weakest_was": string(was.Weakest), "weakest": string(to.Weakest),
		},
	})
	if err != nil {
		return "", fmt.Errorf("record a change of settings: %w", err)
	}
	return "", d.tellAdmins(ctx, tx, message.Notice{
		Site: s.ID, Kind: message.SettingsChanged, Words: map[string]string{"by": by.User.Name()},
	})
}

// Lower ends what a past connection to Xero left behind: an explicit act of an admin with
// a fresh proof, seven days after the disconnect at the earliest. All admins are told.
func (d *Desk) Lower(ctx context.Context, by authority.Bearer) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused, err = d.lower(ctx, tx, by)
		return err
	})
	return refused, err
}

func (d *Desk) lower(ctx context.Context, tx *db.Tx, by authority.Bearer) (Refused, error) {
	c, refused, err := d.forChange(ctx, tx, by)
	switch {
	case err != nil || refused != "":
		return refused, err
	case c.Lowerable.IsZero():
		return Nothing, nil
	case tx.Now.Before(c.Lowerable):
		return NotYet, nil
	}
	all, err := integration.Of(ctx, tx, c.Site.ID)
	if err != nil {
		return "", fmt.Errorf("read connections: %w", err)
	}
	i := slices.IndexFunc(all, func(one integration.Integration) bool { return one.Kind == policy.Xero })
	if i < 0 {
		return Nothing, nil
	}
	done, err := integration.Lower(ctx, tx, all[i])
	if err != nil {
		return "", err
	}
	if !done {
		return Changed, nil
	}
	err = audit.Record(ctx, tx, audit.Event{
		Kind: audit.RequirementLowered, Actor: by.Actor(), Site: c.Site.ID,
		Facts: map[string]string{"organisation": all[i].Organisation, "leaves": string(c.Choice.TwoFA)},
	})
	if err != nil {
		return "", fmt.Errorf("record that a requirement was lowered: %w", err)
	}
	return "", d.tellAdmins(ctx, tx, message.Notice{
		Site: c.Site.ID, Kind: message.RequirementLowered, Words: map[string]string{"by": by.User.Name()},
	})
}

// forChange reads how the site of an admin stands, for a change of it that takes a fresh
// proof.
func (d *Desk) forChange(ctx context.Context, tx *db.Tx, by authority.Bearer) (Company, Refused, error) {
	m, err := authority.Admin(ctx, tx, tx.Now, by)
	if err != nil {
		return Company{}, "", err
	}
	fresh, err := authority.Fresh(ctx, tx, tx.Now, d.Standing, by)
	if err != nil || !fresh {
		return Company{}, NotFresh, err
	}
	c, err := d.Company(ctx, tx, tx.Now, m.Site)
	return c, "", err
}

// tellAdmins tells all admins of a site, whoever did it included: it may not have been
// them.
func (d *Desk) tellAdmins(ctx context.Context, tx *db.Tx, n message.Notice) error {
	admins, err := site.Admins(ctx, tx, tx.Now, n.Site)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	for _, n.User = range admins {
		if err := d.Post.Tell(ctx, tx, n); err != nil {
			return fmt.Errorf("tell an admin: %w", err)
		}
	}
	return nil
}

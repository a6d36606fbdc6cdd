// Package readiness says who of a site would get in if 2FA were enforced now, what the
// others lack, and the one thing that mends it. It decides nothing: it reads the facts
// that the sign-in reads (standing) and asks what the sign-in asks (policy.Readiness).
//
// It writes nothing either. Lists, previews, reminders, the rollout and the evidence all
// ask here, so that two of them cannot disagree about a person.
package readiness

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// Source reads how ready people are.
type Source struct {
	Standing standing.Source
}

// Person is one active member of a site.
type Person struct {
	User id.User
	// Name is what they are called, or the login name of somebody who has no name; First
	// the first name, which may be empty.
	Name, First string
	Login       string
	Group       policy.Group
	Kind        policy.Kind
	Mark        policy.Mark
	// Lacks says of each of their ways why it would not do.
	Lacks []policy.Withheld
	// Roads is how many ways would do that were proved, or need no proof. Lone says that
	// they are the site's only Admin, whom nobody there could help.
	Roads int
	Lone  bool
	// Elsewhere says that they are no one site's alone, so that no site's admin may change
	// their address or give them a help code.
	Elsewhere bool
	// Do is the one thing that gets them further. Until is when a DoWait is over, zero where
	// nobody knows.
	Do    Action
	Until time.Time
}

// Unreached says that no mail would reach them: they are told by nobody but the people
// around them.
func (p Person) Unreached() bool {
	return slices.ContainsFunc(p.Lacks, func(w policy.Withheld) bool {
		return w.Key == policy.NoEmail || w.Key == policy.EmailBounced
	})
}

// Themselves says that they mend it themselves, so that to be told of it gets them further.
func (p Person) Themselves() bool {
	return p.Do == DoTry || p.Do == DoSecondRoad || p.Do == DoSetUp
}

// Action is the one thing that gets somebody further.
type Action string

// The actions, each with who does it.
const (
	// DoNothing is for whoever is ready, or exempt.
	DoNothing Action = ""
	// DoTry has the person try the new sign-in: a code that they type proves their way.
	DoTry Action = "try"
	// DoSecondRoad has a lone Admin print recovery codes or set up an authenticator, or make
	// somebody else an Admin.
	DoSecondRoad Action = "second_road"
	// DoSetUp has the person set up a stronger way, because the site takes no weaker one.
	DoSetUp Action = "set_up"
	// DoEmail has an admin of the site put in an address that takes mail.
	DoEmail Action = "email"
	// DoHelpCode has an admin of the site read out a help code, with which a way is added.
	DoHelpCode Action = "help_code"
	// DoManager has the account manager do either of those two: the person is of several
	// sites, or their site's only Admin.
	DoManager Action = "manager"
	// DoWait says that time alone mends it: too many wrong tries, or a channel that is down.
	DoWait Action = "wait"
)

// Site is a site with its people: those who need help first, then by name.
type Site struct {
	Site   site.Site
	People []Person
	Counts

	// Admins are the active Admins of its office. AdminProved says that one of them is ready,
	// or has a proved way that works now; LoneAdmin that there is only one.
	Admins      int
	AdminProved bool
	LoneAdmin   bool
}

// Counts are a site's active members by what the policy predicts for them. Exempt are the
// mobile ones, and those whose access has ended.
type Counts struct {
	Ready, WillManage, NeedsHelp, Exempt int
}

// Office is everybody of whom 2FA would be asked.
func (c Counts) Office() int { return c.Ready + c.WillManage + c.NeedsHelp }

// NotReady is whom a reminder is for.
func (c Counts) NotReady() int { return c.WillManage + c.NeedsHelp }

// Plus adds up the people of two.
func (c Counts) Plus(o Counts) Counts {
	return Counts{c.Ready + o.Ready, c.WillManage + o.WillManage, c.NeedsHelp + o.NeedsHelp, c.Exempt + o.Exempt}
}

func (c *Counts) add(m policy.Mark) {
	switch m {
	case policy.Ready:
		c.Ready++
	case policy.WillManage:
		c.WillManage++
	case policy.NeedsHelp:
		c.NeedsHelp++
	case policy.Exempt:
		c.Exempt++
	}
}

// inStep is how many members are read at a time.
const inStep = 200

// OfSite reads one site as it is now; fault.NotFound if there is none. It costs a handful
// of queries for each 200 members.
func (s Source) OfSite(ctx context.Context, from db.Reader, now time.Time, at id.Site) (Site, error) {
	one := Site{}
	var err error
	if one.Site, err = site.ByID(ctx, from, at); err != nil {
		return one, fmt.Errorf("find a site: %w", err)
	}
	for after := id.User(""); ; {
		some, err := site.Working(ctx, from, at, after, inStep)
		if err != nil {
			return one, fmt.Errorf("list members: %w", err)
		}
		people, err := s.OfUsers(ctx, from, now, at, some)
		if err != nil {
			return one, err
		}
		one.People = append(one.People, people...)
		if len(some) < inStep {
			break
		}
		after = some[len(some)-1]
	}
	one.sum()
	return one, nil
}

// Totals reads many sites, one after the other, and hands each over. It holds one at a
// time; what each returns ends it.
func (s Source) Totals(ctx context.Context, from db.Reader, now time.Time, sites []id.Site, each func(Site) error) error {
	for _, at := range sites {
		one, err := s.OfSite(ctx, from, now, at)
		if err != nil {
			return err
		}
		if err := each(one); err != nil {
			return err
		}
	}
	return nil
}

// OfUsers reads some members of a site, in the order that is given; whoever is no user is
// left out.
func (s Source) OfUsers(ctx context.Context, from db.Reader, now time.Time, at id.Site, who []id.User) ([]Person, error) {
	if len(who) == 0 {
		return nil, nil
	}
	found, err := user.ByIDs(ctx, from, who)
	if err != nil {
		return nil, fmt.Errorf("find members: %w", err)
	}
	users := make([]user.User, 0, len(who))
	for _, one := range who {
		if u, ok := found[one]; ok {
			users = append(users, u)
		}
	}
	facts, err := s.Standing.OfAll(ctx, from, now, at, users)
	if err != nil {
		return nil, fmt.Errorf("read the facts of members: %w", err)
	}
	all := make([]Person, len(users))
	for i, u := range users {
		all[i] = Of(u, facts[u.ID], now)
	}
	return all, nil
}

// Of asks the policy about one person with the facts of one site.
func Of(u user.User, facts policy.Facts, now time.Time) Person {
	said := policy.Readiness(facts, now)
	p := Person{
		User: u.ID, Name: u.Name(), First: u.FirstName, Login: string(u.Login),
		Mark: said.Mark, Roads: said.Roads, Elsewhere: u.Staff || len(facts.Others) > 0,
	}
	for _, m := range facts.Memberships {
		p.Group, p.Kind, p.Lone = m.Group, m.Kind, p.Lone || m.LoneAdmin
	}
	if said.Mark != policy.Exempt {
		p.Lacks = said.Decision.NotOffered
	}
	p.Do, p.Until = action(p, said.Decision)
	return p
}

// action is the one thing that gets somebody further, the surest first.
func action(p Person, d policy.Decision) (Action, time.Time) {
	switch p.Mark {
	case policy.Ready, policy.Exempt:
		return DoNothing, time.Time{}
	case policy.WillManage:
		switch {
		case p.Roads > 0: // the policy asks a second one of nobody but a lone Admin
			return DoSecondRoad, time.Time{}
		case slices.ContainsFunc(d.Offered, func(o policy.Offer) bool { return o.Proved }):
			return DoWait, time.Time{} // its channel is down
		}
		return DoTry, time.Time{}
	case policy.NeedsHelp:
	}
	return p.help(d.NotOffered)
}

// help is what mends it for somebody for whom nothing would do. Email decides, because it
// is the way that everybody has; another way says more only where it has been proved and
// rests.
func (p Person) help(withheld []policy.Withheld) (Action, time.Time) {
	var rested time.Time
	for _, w := range withheld {
		if w.Key == policy.Resting && (rested.IsZero() || w.Until.Before(rested)) {
			rested = w.Until
		}
	}
	if !rested.IsZero() {
		return DoWait, rested
	}
	i := slices.IndexFunc(withheld, func(w policy.Withheld) bool { return w.Kind == policy.Email })
	if i < 0 {
		return DoManager, time.Time{}
	}
	mends := func(admins Action) (Action, time.Time) {
		if p.Elsewhere || p.Lone {
			return DoManager, time.Time{}
		}
		return admins, time.Time{}
	}
	switch withheld[i].Key { //nolint:exhaustive // the others are of other methods
	case policy.NoEmail, policy.EmailBounced:
		return mends(DoEmail)
	case policy.TooWeakForSite, policy.NotForStaff:
		return DoSetUp, time.Time{}
	case policy.PendingProof:
		return DoTry, time.Time{}
	}
	return mends(DoHelpCode)
}

// sum counts the people, and puts them in their order.
func (s *Site) sum() {
	for _, p := range s.People {
		s.add(p.Mark)
		if p.Group == policy.GroupAdmin && p.Mark != policy.Exempt {
			s.Admins++
			s.AdminProved = s.AdminProved || p.Mark == policy.Ready || p.Roads > 0
		}
	}
	s.LoneAdmin = s.Admins == 1
	slices.SortFunc(s.People, func(a, b Person) int {
		return cmp.Or(cmp.Compare(order(a.Mark), order(b.Mark)),
			cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.User, b.User))
	})
}

// Marks are the marks in the order of a site's people.
func Marks() []policy.Mark {
	return []policy.Mark{policy.NeedsHelp, policy.WillManage, policy.Ready, policy.Exempt}
}

func order(m policy.Mark) int { return slices.Index(Marks(), m) }

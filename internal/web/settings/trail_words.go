package settings

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/locale"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/sheet"
	"keyturn/internal/site"
	"keyturn/internal/trail"
	"keyturn/internal/user"
	"keyturn/internal/web/reason"
)

// teller puts the events of one site into words. It remembers names, so that a name is
// read once for many events.
type teller struct {
	s             *Settings
	at            site.Site
	now           time.Time
	names, logins map[id.User]string
	ways          map[id.Method]policy.MethodKind
	asked         map[id.User]bool
	// ties are who connected Xero and since when, as far as it is known.
	ties []tie
}

// tie is one connection to Xero.
type tie struct {
	since time.Time
	by    string
}

func (s *Settings) teller(r *http.Request, a admin) (*teller, error) {
	t := &teller{
		s: s, at: a.site, now: s.DB.Clock.Now(),
		names: map[id.User]string{}, logins: map[id.User]string{}, ways: map[id.Method]policy.MethodKind{}, asked: map[id.User]bool{},
	}
	return t, t.connections(r.Context())
}

// connections reads who connected Xero: as the connection says now, and as the trail says
// of those before it.
func (t *teller) connections(ctx context.Context) error {
	all, err := integration.Of(ctx, t.s.DB, t.at.ID)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Kind == policy.Xero {
			t.ties = append(t.ties, tie{one.Since, one.By})
		}
	}
	const most = 100
	events, err := audit.List(ctx, t.s.DB, audit.Filter{Site: t.at.ID, Kind: audit.XeroConnected}, most)
	if err != nil {
		return err
	}
	for _, e := range events {
		since := e.At
		if at, err := time.Parse(time.RFC3339Nano, e.Facts["since"]); err == nil {
			since = at
		}
		if e.Actor.Kind != audit.ActorUser && e.Actor.Kind != audit.ActorStaff {
			continue
		}
		by, err := t.actor(ctx, e.Actor)
		if err != nil {
			return err
		}
		t.ties = append(t.ties, tie{since, by})
	}
	return nil
}

// event is one event in words.
func (t *teller) event(ctx context.Context, e audit.Entry) (Event, error) {
	who, err := t.actor(ctx, e.Actor)
	if err != nil {
		return Event{}, err
	}
	whom, err := t.name(ctx, e.User)
	if err != nil {
		return Event{}, err
	}
	kind, err := t.way(ctx, e)
	if err != nil {
		return Event{}, err
	}
	one := Event{
		What: sentence(e, who, whom, kind, t.at.Zone), At: locale.Exact(e.At, t.at.Zone, t.now), By: t.told(e.Actor, who),
		From:    strings.TrimSpace(strings.Join([]string{e.Actor.Network, e.Actor.Agent}, " ")),
		Address: e.Personal["address"], Reference: e.Facts["reference"],
	}
	if e.Kind == audit.SMSToppedUp {
		one.Reference = "" // that of a purchase, which the statement has
	}
	if outcome, reasons, ok := policy.Recorded(e.Facts); ok {
		one.Outcome = reason.Outcome(outcome)
		for _, r := range reasons {
			read := reason.Reader{Zone: t.at.Zone, Now: t.now, By: t.connectedBy(r)}
			one.Reasons = append(one.Reasons, read.Sentence(r))
		}
	}
	return one, nil
}

// connectedBy is who connected Xero, of a reason that rests on that.
func (t *teller) connectedBy(r policy.Reason) string {
	for _, one := range t.ties {
		if !r.Since.IsZero() && one.since.Equal(r.Since) {
			return one.by
		}
	}
	return ""
}

// sentence says what happened. A kind of a later release, which has no words here, is
// said by its name.
func sentence(e audit.Entry, who, whom string, way policy.MethodKind, zone *time.Location) string {
	key := kindKey(e.Kind)
	if !locale.Known(key) {
		return locale.Say(locale.AuditUnknown, locale.Data{"Who": who, "Kind": string(e.Kind)})
	}
	said := locale.Say(key, locale.Data{
		"Who": who, "Whom": whom, "Method": reason.Method(way), "Number": number(e), "Group": e.Facts["group"],
		"Date": dateOf(e, zone),
	})
	first := []rune(said)
	return strings.ToUpper(string(first[:1])) + string(first[1:])
}

// dateOf is the date of an event that has one.
func dateOf(e audit.Entry, zone *time.Location) string {
	at, err := time.Parse(time.RFC3339, e.Facts["date"])
	if err != nil {
		return ""
	}
	return locale.Exact(at, zone, e.At)
}

// kindKey is the key of a kind's sentence.
func kindKey(kind audit.Kind) locale.Key {
	return locale.Key("trail.kind." + strings.ReplaceAll(string(kind), ".", "-"))
}

// number is the one number of an event that has one.
func number(e audit.Entry) string {
	for _, fact := range []string{"parts", "tries", "available", "events", "values"} {
		if n := e.Facts[fact]; n != "" {
			return n
		}
	}
	return "0"
}

func (t *teller) actor(ctx context.Context, a audit.Actor) (string, error) {
	switch a.Kind {
	case audit.ActorUser:
		return t.name(ctx, id.User(a.ID))
	case audit.ActorStaff:
		name, err := t.name(ctx, id.User(a.ID))
		return locale.Say(locale.AuditByStaff, locale.Data{"Name": name, "Vendor": t.s.Kit.VendorName()}), err
	case audit.ActorCommand:
		return locale.Say(locale.AuditByCommand, locale.Data{"Vendor": t.s.Kit.VendorName()}), nil
	case audit.ActorClient:
		return locale.Say(locale.AuditByClient), nil
	case audit.ActorSystem:
	}
	return locale.Say(locale.AuditBySystem), nil
}

// told is who did it, with the login name of a user beside the name: two may have one name,
// and one may take another's.
func (t *teller) told(a audit.Actor, name string) string {
	login := t.logins[id.User(a.ID)]
	if a.Kind != audit.ActorUser || login == "" || login == name {
		return name
	}
	return locale.Say(locale.AuditByLogin, locale.Data{"Name": name, "Login": login})
}

// name is what somebody is called now.
func (t *teller) name(ctx context.Context, who id.User) (string, error) {
	if who == "" {
		return locale.Say(locale.AuditNobody), nil
	}
	if name, ok := t.names[who]; ok {
		return name, nil
	}
	u, err := user.ByID(ctx, t.s.DB, who)
	name := u.Name()
	if errors.Is(err, fault.NotFound) {
		name, err = locale.Say(locale.AuditNoLonger), nil
	}
	t.names[who], t.logins[who] = name, string(u.Login)
	return name, err
}

// way is the method that an event is about: said by itself, or read from the person's
// methods by its id. Of one that was removed meanwhile nothing is known.
func (t *teller) way(ctx context.Context, e audit.Entry) (policy.MethodKind, error) {
	for _, fact := range []string{"kind", "channel"} {
		if kind := policy.MethodKind(e.Facts[fact]); kind != "" {
			return kind, nil
		}
	}
	which := id.Method(e.Facts["method"])
	if which == "" || e.User == "" {
		return "", nil
	}
	if !t.asked[e.User] {
		all, err := method.Of(ctx, t.s.DB, e.User)
		if err != nil {
			return "", err
		}
		for _, m := range all {
			t.ways[m.ID] = m.Kind
		}
		t.asked[e.User] = true
	}
	return t.ways[which], nil
}

func groupWords(g audit.Group) string {
	switch g {
	case audit.OfSigningIn:
		return locale.Say(locale.AuditGroupSignin)
	case audit.OfSessions:
		return locale.Say(locale.AuditGroupSession)
	case audit.OfMethods:
		return locale.Say(locale.AuditGroupMethods)
	case audit.OfHelp:
		return locale.Say(locale.AuditGroupHelp)
	case audit.OfMessages:
		return locale.Say(locale.AuditGroupMessages)
	case audit.OfTheTrail:
		return locale.Say(locale.AuditGroupTrail)
	case audit.OfTheSite:
	}
	return locale.Say(locale.AuditGroupSite)
}

// auditHeading is the first line of a copy as CSV.
var auditHeading = trail.Heading{"no", "at", "event", "what", "by", "about", "from", "reference", "why", "id", "by_id"}

// actorID is the id of the user who did it, which is nobody else's however they are called;
// empty: no user did.
func actorID(a audit.Actor) string {
	if a.Kind == audit.ActorUser || a.Kind == audit.ActorStaff {
		return a.ID
	}
	return ""
}

// rows are the lines of a copy as CSV.
func (t *teller) rows(ctx context.Context, page []audit.Entry) ([][]string, error) {
	all := make([][]string, 0, len(page))
	for _, e := range page {
		one, err := t.event(ctx, e)
		if err != nil {
			return nil, err
		}
		about := ""
		if e.User != "" {
			if about, err = t.name(ctx, e.User); err != nil {
				return nil, err
			}
		}
		row := []string{
			strconv.FormatInt(e.Seq, 10), e.At.In(t.at.Zone).Format(time.RFC3339), string(e.Kind), one.What, one.By, about, one.From,
			one.Reference, strings.Join(one.Reasons, " "), string(e.ID), actorID(e.Actor),
		}
		for i := range row {
			row[i] = sheet.Cell(row[i])
		}
		all = append(all, row)
	}
	return all, nil
}

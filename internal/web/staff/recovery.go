package staff

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/authority"
	"keyturn/internal/console"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/phone"
	"keyturn/internal/rescue"
	"keyturn/internal/site"
	"keyturn/internal/user"
	"keyturn/internal/web"
)

func (s *Staff) row(r *http.Request, by authority.Bearer, one rescue.Recovery, now time.Time) (Row, error) {
	who, at, err := s.whose(r, one)
	if err != nil {
		return Row{}, err
	}
	row := Row{Path: path(one), Who: first(who.FirstName, who.Name()), Site: at.Name, State: stateWords(one, at.Zone, now)}
	if one.State == rescue.RecoveryOpen {
		row.Next = locale.Say(locale.StaffNextYou)
		if one.BegunBy == by.User.ID {
			row.Next = locale.Say(locale.StaffNextOther)
		}
	}
	return row, nil
}

func (s *Staff) whose(r *http.Request, one rescue.Recovery) (user.User, site.Site, error) {
	who, err := user.ByID(r.Context(), s.DB, one.User)
	if err != nil {
		return who, site.Site{}, err
	}
	at, err := site.ByID(r.Context(), s.DB, one.Site)
	return who, at, err
}

// first is how a list, which is in no site's trail, names somebody of a site: by their
// first name alone, if they have one.
func first(name, whole string) string {
	if name != "" {
		return name
	}
	return whole
}

func path(one rescue.Recovery) string {
	return "/staff/recoveries/" + string(one.User) + "/" + string(one.ID)
}

func stateWords(one rescue.Recovery, zone *time.Location, now time.Time) string {
	switch {
	case one.Ready(now):
		return locale.Say(locale.StaffStateReady)
	case one.State == rescue.RecoveryOpen:
		return locale.Say(locale.StaffStateOpen)
	case one.State == rescue.RecoveryWaiting:
		return locale.Say(locale.StaffStateWaiting, locale.Data{"At": locale.Moment(one.ReadyAt, zone, now)})
	case one.State == rescue.RecoveryContested:
		return locale.Say(locale.StaffStateContested)
	case one.State == rescue.RecoveryDone:
		return locale.Say(locale.StaffStateDone)
	}
	return locale.Say(locale.StaffStateRefused)
}

// Confirm answers "POST /staff/confirm": a new member of staff.
func (s *Staff) Confirm() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		who, err := id.Parse[id.User](form.Get("user"))
		if err != nil {
			return err
		}
		refused, err := s.Rescue.ConfirmStaff(r.Context(), by, who)
		if err != nil {
			return err
		}
		if refused == rescue.NotFresh {
			return prove(w, r, "/staff")
		}
		page, err := s.home(r, by)
		if err != nil {
			return err
		}
		if refused != "" {
			page.Second = refusedWords(refused)
			return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		page.Done = locale.Say(locale.StaffJoiningDone)
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// New answers "GET /staff/recoveries/new", with "email" for whom it is, and "call" for the
// number that is called.
func (s *Staff) New() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		typed := web.ReadQuery(r).Get("email")
		found, refused := console.Person{}, console.NoPerson
		login, err := address.Login(typed)
		if err == nil {
			found, refused, err = s.Console.Find(r.Context(), by, login)
		}
		if err != nil && !errors.Is(err, fault.Invalid) {
			return err
		}
		if refused != "" {
			page, err := s.home(r, by)
			if err != nil {
				return err
			}
			page.Find, page.Fault = typed, locale.Say(locale.StaffFindNobody)
			status := http.StatusNotFound
			if refused == console.TooMany {
				page.Fault, status = locale.Say(locale.StaffFindTooMany), http.StatusTooManyRequests
			}
			return s.Kit.Show(w, r, status, page)
		}
		page, err := s.beginPage(r, by, found, web.ReadQuery(r).Get("call"))
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// beginPage shows the one number as a whole that is called, the one longest on file unless
// another is asked for, which is recorded; the others are masked.
func (s *Staff) beginPage(r *http.Request, by authority.Bearer, p console.Person, call string) (BeginPage, error) {
	who := p.User
	page := BeginPage{As: by.User.Name(), User: string(who.ID), Who: who.Name(), Login: string(who.Login)}
	for _, at := range p.Sites {
		page.Sites = append(page.Sites, Place{ID: string(at.ID), Name: at.Name})
	}
	numbers, err := s.Rescue.Numbers(r.Context(), who.ID)
	if err != nil {
		return page, err
	}
	numbers = slices.DeleteFunc(numbers, func(n rescue.Number) bool { return !n.Callable })
	slices.SortStableFunc(numbers, func(a, b rescue.Number) int { return a.Since.Compare(b.Since) })
	called := max(0, slices.IndexFunc(numbers, func(n rescue.Number) bool { return string(n.Method) == call }))
	for i, n := range numbers {
		if i == called {
			for _, at := range p.Sites {
				if err := s.Console.See(r.Context(), by, at.ID, who.ID, console.NumberPage); err != nil {
					return page, err
				}
			}
			page.Numbers = append(page.Numbers, Number{ID: string(n.Method), Shown: phone.Spoken(n.Number)})
			continue
		}
		page.Numbers = append(page.Numbers, Number{ID: string(n.Method), Shown: phone.Mask(n.Number), Path: newPath(who, string(n.Method))})
	}
	page.Proved, err = s.Rescue.Waits(r.Context(), who.ID)
	return page, err
}

// newPath is where a recovery of somebody is begun, with the number that is called shown.
func newPath(who user.User, call string) string {
	q := url.Values{"email": {string(who.Login)}}
	if call != "" {
		q.Set("call", call)
	}
	return "/staff/recoveries/new?" + q.Encode()
}

// Begin answers "POST /staff/recoveries/new".
func (s *Staff) Begin() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		whom, err := id.Parse[id.User](form.Get("user"))
		if err != nil {
			return err
		}
		found, err := s.Console.Person(r.Context(), by, whom)
		if err != nil {
			return err
		}
		at, err := id.Parse[id.Site](form.Get("site"))
		if err != nil {
			return err
		}
		called, err := s.called(r, whom, form.Get("called"))
		if err != nil {
			return err
		}
		which, refused, err := s.Rescue.Begin(r.Context(), by, rescue.Recover{User: whom, Site: at, Called: called, Reason: form.Get("reason")})
		switch {
		case err != nil:
			return err
		case refused == "":
			return web.Go(w, r, path(rescue.Recovery{User: whom, ID: which}))
		case refused == rescue.NotFresh:
			return prove(w, r, newPath(found.User, form.Get("called")))
		}
		page, err := s.beginPage(r, by, found, form.Get("called"))
		if err != nil {
			return err
		}
		page.Reason, page.Fault = form.Get("reason"), refusedWords(refused)
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

// called finds the number that was called back among those on file.
func (s *Staff) called(r *http.Request, whom id.User, which string) (string, error) {
	if which == "" {
		return "", nil
	}
	numbers, err := s.Rescue.Numbers(r.Context(), whom)
	if err != nil {
		return "", err
	}
	for _, n := range numbers {
		if string(n.Method) == which {
			return n.Number, nil
		}
	}
	return "", fault.NotFound
}

// Recovery answers "GET /staff/recoveries/{user}/{recovery}".
func (s *Staff) Recovery() http.Handler {
	return s.one(func(w http.ResponseWriter, r *http.Request, by authority.Bearer, one rescue.Recovery) error {
		page, err := s.recoveryPage(r, by, one)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) one(do func(http.ResponseWriter, *http.Request, authority.Bearer, rescue.Recovery) error) http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		whom, err := id.Parse[id.User](r.PathValue("user"))
		if err != nil {
			return err
		}
		which, err := id.Parse[id.Recovery](r.PathValue("recovery"))
		if err != nil {
			return err
		}
		one, err := s.Rescue.ByID(r.Context(), by, whom, which)
		if err != nil {
			return err
		}
		return do(w, r, by, one)
	})
}

// Act answers "POST /staff/recoveries/{user}/{recovery}".
func (s *Staff) Act() http.Handler {
	return s.one(func(w http.ResponseWriter, r *http.Request, by authority.Bearer, one rescue.Recovery) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		given, refused, err := s.act(r, by, one, form)
		if err != nil {
			return err
		}
		if refused == rescue.NotFresh {
			return prove(w, r, path(one))
		}
		if refused == "" && given.Code == "" {
			return web.Go(w, r, path(one))
		}
		if one, err = s.Rescue.ByID(r.Context(), by, one.User, one.ID); err != nil {
			return err
		}
		page, err := s.recoveryPage(r, by, one)
		if err != nil {
			return err
		}
		if refused != "" {
			page.Fault = refusedWords(refused)
			return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		page.Code, page.Until, page.CanRead = given.Code, locale.Clock(given.Until, time.UTC), false
		for _, l := range locale.Spell(given.Code) {
			page.Spelling = append(page.Spelling, Letter{Sign: l.Sign, Said: l.Said})
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) act(r *http.Request, by authority.Bearer, one rescue.Recovery, form web.Fields) (given rescue.Given, refused rescue.Refused, err error) {
	switch form.Get("do") {
	case "confirm":
		refused, err = s.Rescue.Confirm(r.Context(), by, one.User, one.ID)
	case "read":
		given, refused, err = s.Rescue.ReadCode(r.Context(), by, one.User, one.ID)
	case "goes-on":
		refused, err = s.Rescue.Decide(r.Context(), by, one, rescue.Decision{Papers: form.Get("papers"), Go: true})
	case "refuse":
		if one.State == rescue.RecoveryContested {
			refused, err = s.Rescue.Decide(r.Context(), by, one, rescue.Decision{Papers: form.Get("papers")})
			break
		}
		refused, err = s.Rescue.GiveUp(r.Context(), by, one.User, one.ID)
	default:
		refused = rescue.WrongForm
	}
	return given, refused, err
}

func (s *Staff) recoveryPage(r *http.Request, by authority.Bearer, one rescue.Recovery) (RecoveryPage, error) {
	if err := s.Console.See(r.Context(), by, one.Site, one.User, console.RecoveryPage); err != nil {
		return RecoveryPage{}, err
	}
	who, at, err := s.whose(r, one)
	if err != nil {
		return RecoveryPage{}, err
	}
	now := s.DB.Clock.Now()
	page := RecoveryPage{
		As: by.User.Name(), Path: path(one), Who: who.Name(), Site: at.Name, State: stateWords(one, at.Zone, now),
		CanConfirm: one.State == rescue.RecoveryOpen && one.BegunBy != by.User.ID,
		CanDecide:  one.State == rescue.RecoveryContested && one.BegunBy != by.User.ID,
		CanRead:    one.Ready(now),
	}
	page.CanRefuse = one.EndedAt.IsZero() && (one.State != rescue.RecoveryContested || page.CanDecide)
	if one.State == rescue.RecoveryOpen && !page.CanConfirm {
		page.Wait = locale.Say(locale.StaffConfirmOwn)
	}
	add := func(what locale.Key, which string) {
		if which != "" {
			page.Facts = append(page.Facts, Fact{What: locale.Say(what), Which: which})
		}
	}
	add(locale.StaffFactSite, at.Name)
	add(locale.StaffFactBegun, s.by(r, one.BegunBy, one.BegunAt, at.Zone))
	// It is called again to read the code out, and after that no more.
	if called := phone.Spoken(one.Called); one.EndedAt.IsZero() {
		add(locale.StaffFactCalled, called)
	} else if one.Called != "" {
		add(locale.StaffFactCalled, phone.Mask(one.Called))
	}
	add(locale.StaffFactReason, one.Reason)
	add(locale.StaffFactConfirmed, s.by(r, one.ConfirmedBy, one.ConfirmedAt, at.Zone))
	if !one.ContestedAt.IsZero() {
		add(locale.StaffFactContested, locale.Moment(one.ContestedAt, at.Zone, now))
	}
	add(locale.StaffFactDecided, strings.TrimSpace(s.by(r, one.DecidedBy, one.DecidedAt, at.Zone)+" "+one.Papers))
	return page, nil
}

// by says when something was done, and by whom; empty if it was not.
func (s *Staff) by(r *http.Request, who id.User, when time.Time, zone *time.Location) string {
	if when.IsZero() {
		return ""
	}
	at := locale.Moment(when, zone, s.DB.Clock.Now())
	u, err := user.ByID(r.Context(), s.DB, who)
	if err != nil {
		return at
	}
	return locale.Say(locale.StaffFactBy, locale.Data{"At": at, "Who": u.Name()})
}

func refusedWords(refused rescue.Refused) string {
	switch refused { //nolint:exhaustive // the others have one sentence
	case rescue.NoReason:
		return locale.Say(locale.StaffBeginMissing)
	case rescue.AlreadyOpen:
		return locale.Say(locale.StaffBeginAlready)
	case rescue.SameMember, rescue.Oneself:
		return locale.Say(locale.StaffConfirmOwn)
	case rescue.NotYet:
		return locale.Say(locale.StaffTooSoon)
	case rescue.NotStaff:
		return locale.Say(locale.StaffNotStaff)
	case rescue.Member:
		return locale.Say(locale.StaffJoiningMember)
	case rescue.NotOnFile:
		return locale.Say(locale.StaffNotOnFile)
	}
	return locale.Say(locale.StaffChanged)
}

package door

import (
	"net/http"

	"keyturn/internal/enrol"
	"keyturn/internal/fault"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/user"
	"keyturn/internal/web"
	"keyturn/internal/web/adding"
)

// noSite stands where none was entered.
var noSite site.Site

// enrolling runs a handler for an enrol-only session. Any other attempt goes where it
// belongs; one whose time is over is told so.
func (d *Door) enrolling(do func(http.ResponseWriter, *http.Request, adding.Frame, signin.View) error) http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		token := d.Kit.Cookie(r, web.AttemptCookie)
		v, ok, err := d.Desk.View(r.Context(), token)
		if err != nil {
			return err
		}
		if !ok {
			return d.gone(w, r)
		}
		if v.Step != signin.AskEnrol {
			if !v.Attempt.EnrolUntil.IsZero() {
				return d.Kit.Show(w, r, http.StatusForbidden, EnrolOverPage{})
			}
			return web.Go(w, r, "/signin/code")
		}
		return do(w, r, d.frame(w, r, v), v)
	})
}

func (d *Door) frame(w http.ResponseWriter, r *http.Request, v signin.View) adding.Frame {
	as, at, until := v.User.Name(), v.Site.Name, locale.Clock(v.Attempt.EnrolUntil, zoneOf(v.Site))
	return adding.Frame{
		Holder: enrol.Holder{User: v.User, Place: d.place(w, r), Enrol: &enrol.EnrolOnly{
			Attempt: v.Attempt.ID, Site: v.Attempt.Site, By: v.Attempt.EnrolBy,
		}},
		Base: "/signin/enrol", Zone: zoneOf(v.Site), Helpers: v.Helpers,
		TOTP:    func(s web.SetUpTOTP) web.Page { return EnrolTOTPPage{As: as, Site: at, Until: until, SetUp: s} },
		Passkey: func(s web.SetUpPasskey) web.Page { return EnrolPasskeyPage{As: as, Site: at, Until: until, SetUp: s} },
		Mobile:  func(s web.SetUpMobile) web.Page { return EnrolMobilePage{As: as, Site: at, Until: until, SetUp: s} },
		Prove:   func(s web.SetUpProve) web.Page { return EnrolProvePage{As: as, Site: at, Until: until, SetUp: s} },
		Settle: func(w http.ResponseWriter, r *http.Request, done enrol.Done, by web.By) error {
			return d.enrolled(w, r, v, done, by)
		},
	}
}

// enrolled goes on after a way was added: the person signs in with it.
func (d *Door) enrolled(w http.ResponseWriter, r *http.Request, v signin.View, done enrol.Done, by web.By) error {
	switch done.Refused { //nolint:exhaustive // the others are told on the first page
	case "":
		d.Kit.DropCookie(w, web.AttemptCookie)
		waits := false
		if v.Attempt.EnrolBy == rescue.ByStaffCode {
			who, err := user.ByID(r.Context(), d.Desk.DB, v.User.ID)
			if err != nil {
				return err
			}
			waits = !who.Staff
		}
		return d.Kit.Show(w, r, http.StatusOK, EnrolDonePage{Site: v.Site.Name, Added: by, Staff: waits})
	case enrol.Gone:
		return d.Kit.Show(w, r, http.StatusForbidden, EnrolOverPage{})
	case enrol.NoCode:
		return web.Go(w, r, "/signin/enrol")
	}
	page := d.enrolPage(r, v)
	page.Fault = locale.Say(locale.EnrolCannot)
	return d.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
}

// Enrolment answers "GET /signin/enrol".
func (d *Door) Enrolment() http.Handler {
	return d.enrolling(func(w http.ResponseWriter, r *http.Request, _ adding.Frame, v signin.View) error {
		return d.Kit.Show(w, r, http.StatusOK, d.enrolPage(r, v))
	})
}

func (d *Door) enrolPage(r *http.Request, v signin.View) EnrolPage {
	page := EnrolPage{As: v.User.Name(), Site: v.Site.Name, Until: locale.Clock(v.Attempt.EnrolUntil, zoneOf(v.Site))}
	switch v.Attempt.EnrolBy {
	case rescue.ByApproval:
		page.By = ByApproval
		if who, err := d.Rescue.ApprovedBy(r.Context(), v.Attempt.User, v.Attempt.ID); err == nil {
			page.Who = who
		}
	case rescue.ByHelpCode:
		page.By = ByHelpCode
	case rescue.ByStaff:
		page.By = BySupport
	case rescue.ByStaffCode:
		page.By = ByJoining
	}
	staff := v.Attempt.EnrolBy == rescue.ByStaffCode || v.User.Staff
	page.SMS = !staff && v.Site.ID != "" && v.Site.Weakest != policy.TOTP && d.Enrol.Standing.SMS
	return page
}

// ChooseEnrolment answers "POST /signin/enrol".
func (d *Door) ChooseEnrolment() http.Handler {
	return d.enrolling(func(w http.ResponseWriter, r *http.Request, f adding.Frame, _ signin.View) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		return d.steps().Begin(w, r, f, web.By(form.Get("method")))
	})
}

func (d *Door) steps() *adding.Steps {
	return &adding.Steps{Kit: d.Kit, DB: d.Desk.DB, Enrol: d.Enrol}
}

// EnrolStep answers one step of an enrol-only session, by its method and path below
// /signin/enrol.
func (d *Door) EnrolStep(method, step string) http.Handler {
	do := adding.Step(method, step)
	return d.enrolling(func(w http.ResponseWriter, r *http.Request, f adding.Frame, _ signin.View) error {
		if do == nil {
			return fault.NotFound
		}
		return do(d.steps(), w, r, f)
	})
}

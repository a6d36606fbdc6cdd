package app

import (
	"maps"
	"net/http"
	"slices"

	"keyturn/internal/web"
	"keyturn/internal/web/adding"
)

// Route is one line of the URL map.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	// For says who it is for: anybody, a user, an admin of the site, the vendor's staff, a
	// program, the demo's visitor.
	For string `json:"for"`
	// States are the states of a session in which it does what it is for; in any other it
	// leads to where that state is mended. "attempt" stands for a sign-in under way,
	// "enrol" for one that may add a method and nothing else.
	States []string `json:"states"`

	handler func(*App) http.Handler
}

// Every state of a session, for routes that serve whoever comes.
var anyState = []string{"out", "attempt", "enrol", "locked", "more", "in"}

// Routes is the whole URL map, in the order in which a person meets it.
func Routes() []Route {
	return slices.Concat(
		pages(), enrolments(), security(), consoles(),
		company(),
		ready(),
		users(),
		requests(),
		sharedLogins(),
		trails(),
		integrations(),
		consolePages(),
		rolloutPages(),
		webhooks(),
		apis(),
		applications(),
	)
}

func pages() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, "/{$}", "anybody", anyState, func(a *App) http.Handler { return a.kit.Handle(a.home) }},
		{get, "/signin", "anybody", []string{"out", "attempt"}, func(a *App) http.Handler { return a.door.SignIn() }},
		{post, "/signin", "anybody", anyState, func(a *App) http.Handler { return a.door.Password() }},
		{get, "/signin/site", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Sites() }},
		{post, "/signin/site", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.ChooseSite() }},
		{get, "/signin/code", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Code() }},
		{post, "/signin/code", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.TypeCode() }},
		{get, "/signin/method", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Ways() }},
		{post, "/signin/method", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.ChooseWay() }},
		{get, "/signin/passkey", "anybody", anyState, func(a *App) http.Handler { return a.door.Back("/signin/code") }},
		{get, "/signin/passkey/finish", "anybody", anyState, func(a *App) http.Handler { return a.door.Back("/signin") }},
		{get, "/signin/locked/passkey", "anybody", anyState, func(a *App) http.Handler { return a.door.Back("/signin/locked") }},
		{post, "/signin/passkey", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Passkey() }},
		{post, "/signin/passkey/options", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.PasskeyOptions() }},
		{post, "/signin/passkey/begin", "anybody", anyState, func(a *App) http.Handler { return a.door.BeginPasskey() }},
		{post, "/signin/passkey/finish", "anybody", anyState, func(a *App) http.Handler { return a.door.SignInPasskey() }},
		{get, "/signin/ask", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Asked() }},
		{post, "/signin/ask", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.Ask() }},
		{get, "/signin/help", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.HelpCode() }},
		{post, "/signin/help", "anybody", []string{"attempt"}, func(a *App) http.Handler { return a.door.TypeHelpCode() }},
		{get, "/signin/enrol", "anybody", []string{"enrol"}, func(a *App) http.Handler { return a.door.Enrolment() }},
		{post, "/signin/enrol", "anybody", []string{"enrol"}, func(a *App) http.Handler { return a.door.ChooseEnrolment() }},
		{get, "/signin/more", "user", []string{"more"}, func(a *App) http.Handler { return a.door.More() }},
		{post, "/signin/more", "user", []string{"more"}, func(a *App) http.Handler { return a.door.Raise() }},
		{get, "/signin/locked", "user", []string{"locked"}, func(a *App) http.Handler { return a.door.Locked() }},
		{post, "/signin/locked", "user", []string{"locked"}, func(a *App) http.Handler { return a.door.Resume() }},
		{post, "/signin/locked/begin", "user", []string{"locked"}, func(a *App) http.Handler { return a.door.BeginUnlock() }},
		{post, "/signin/locked/passkey", "user", []string{"locked"}, func(a *App) http.Handler { return a.door.Unlock() }},
		{post, "/signout", "anybody", anyState, func(a *App) http.Handler { return a.door.SignOut() }},
		{get, "/signedout", "anybody", anyState, func(a *App) http.Handler { return a.door.SignedOut() }},
		{get, "/reset", "anybody", anyState, func(a *App) http.Handler { return a.door.Reset() }},
		{post, "/reset", "anybody", anyState, func(a *App) http.Handler { return a.door.AskReset() }},
		{get, "/reset-sent", "anybody", anyState, func(a *App) http.Handler { return a.door.ResetSent() }},
		{get, "/reset/{token}", "anybody", anyState, func(a *App) http.Handler { return a.door.NewPassword() }},
		{post, "/reset/{token}", "anybody", anyState, func(a *App) http.Handler { return a.door.SetPassword() }},
		{get, "/stop/{token}", "anybody", anyState, func(a *App) http.Handler { return a.door.Stop() }},
		{post, "/stop/{token}", "anybody", anyState, func(a *App) http.Handler { return a.door.SayStop() }},
		{get, "/me", "user", []string{"in"}, func(a *App) http.Handler { return a.me.Home() }},
		{post, "/me/site", "user", []string{"in"}, func(a *App) http.Handler { return a.me.Switch() }},
		{get, "/help", "anybody", anyState, func(a *App) http.Handler { return a.help.Index() }},
		{get, "/help/{guide}", "anybody", anyState, func(a *App) http.Handler { return a.help.Guide() }},
		{get, web.StaticPath + "{file}", "anybody", anyState, func(a *App) http.Handler { return a.kit.Assets() }},
		{get, "/healthz", "anybody", anyState, func(a *App) http.Handler { return http.HandlerFunc(a.healthz) }},
		{get, "/readyz", "anybody", anyState, func(a *App) http.Handler { return http.HandlerFunc(a.readyz) }},
	}
}

// enrolments are the steps by which a way is set up, in an enrol-only session and in "My
// security".
func enrolments() []Route {
	var all []Route
	paths := adding.Paths()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, verb := range paths[path] {
			all = append(all,
				Route{verb, "/signin/enrol" + path, "anybody", []string{"enrol"}, func(a *App) http.Handler { return a.door.EnrolStep(verb, path) }},
				Route{verb, "/me/security/add" + path, "user", in, func(a *App) http.Handler { return a.me.AddStep(verb, path) }})
		}
	}
	return all
}

// in is the one state of a session in which it does what it is for.
var in = []string{"in"}

// security are a person's own pages about how they sign in.
func security() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, "/me/security", "user", in, func(a *App) http.Handler { return a.me.Security() }},
		{post, "/me/security/add", "user", in, func(a *App) http.Handler { return a.me.Begin() }},
		{get, "/me/security/codes", "user", in, func(a *App) http.Handler { return a.me.Codes() }},
		{post, "/me/security/codes", "user", in, func(a *App) http.Handler { return a.me.MakeCodes() }},
		{get, "/me/security/alter/{method}", "user", in, func(a *App) http.Handler { return a.me.Alter() }},
		{post, "/me/security/rename", "user", in, func(a *App) http.Handler { return a.me.Rename() }},
		{post, "/me/security/remove", "user", in, func(a *App) http.Handler { return a.me.Remove() }},
		{post, "/me/security/usual", "user", in, func(a *App) http.Handler { return a.me.Usual() }},
		{post, "/me/security/forget", "user", in, func(a *App) http.Handler { return a.me.Forget() }},
		{post, "/me/security/end", "user", in, func(a *App) http.Handler { return a.me.End() }},
		{post, "/me/security/everywhere", "user", in, func(a *App) http.Handler { return a.me.Everywhere() }},
		{get, "/me/security/password", "user", in, func(a *App) http.Handler { return a.me.Password() }},
		{post, "/me/security/password", "user", in, func(a *App) http.Handler { return a.me.ChangePassword() }},
		{post, "/me/security/rehearse", "user", in, func(a *App) http.Handler { return a.me.Rehearse() }},
		{post, "/me/security/test", "user", in, func(a *App) http.Handler { return a.me.TypeTest() }},
		{get, "/me/security/join", "user", in, func(a *App) http.Handler { return a.me.Joining() }},
		{post, "/me/security/join", "user", in, func(a *App) http.Handler { return a.me.Join() }},
		{get, "/me/prove", "user", in, func(a *App) http.Handler { return a.me.ProveFirst() }},
		{post, "/me/prove", "user", in, func(a *App) http.Handler { return a.me.Prove() }},
	}
}

// consoles are the pages of a site's admins and of the vendor's staff, and what programs
// tell us.
func consoles() []Route {
	get, post := http.MethodGet, http.MethodPost
	const at = "/sites/{site}/settings"
	return []Route{
		{get, at + "/approvals", "admin", in, func(a *App) http.Handler { return a.settings.Approvals() }},
		{post, at + "/approvals", "admin", in, func(a *App) http.Handler { return a.settings.Answer() }},
		{get, at + "/help-codes", "admin", in, func(a *App) http.Handler { return a.settings.HelpCodes() }},
		{post, at + "/help-codes", "admin", in, func(a *App) http.Handler { return a.settings.GiveHelpCode() }},
		{get, at + "/sms", "admin", in, func(a *App) http.Handler { return a.settings.SMS() }},
		{get, at + "/sms.csv", "admin", in, func(a *App) http.Handler { return a.settings.SMSFile() }},
		{get, "/staff/enrol", "anybody", anyState, func(a *App) http.Handler { return a.staff.Enrol() }},
		{post, "/staff/enrol", "anybody", anyState, func(a *App) http.Handler { return a.staff.TypeCode() }},
		{get, "/staff", "staff", in, func(a *App) http.Handler { return a.staff.Home() }},
		{post, "/staff/confirm", "staff", in, func(a *App) http.Handler { return a.staff.Confirm() }},
		{get, "/staff/recoveries/new", "staff", in, func(a *App) http.Handler { return a.staff.New() }},
		{post, "/staff/recoveries/new", "staff", in, func(a *App) http.Handler { return a.staff.Begin() }},
		{get, "/staff/recoveries/{user}/{recovery}", "staff", in, func(a *App) http.Handler { return a.staff.Recovery() }},
		{post, "/staff/recoveries/{user}/{recovery}", "staff", in, func(a *App) http.Handler { return a.staff.Act() }},
		{post, "/hooks/mail", "program", anyState, func(a *App) http.Handler { return a.hooks.Mail() }},
		{post, "/hooks/sms/{provider}", "program", anyState, func(a *App) http.Handler { return a.hooks.SMS() }},
		{post, "/hooks/sms/{provider}/{rest...}", "program", anyState, func(a *App) http.Handler { return a.hooks.SMS() }},
	}
}

// mux serves the routes, and says of everything else that it is not there.
func (a *App) mux(more ...Route) *http.ServeMux {
	m := http.NewServeMux()
	for _, r := range append(Routes(), more...) {
		m.Handle(r.Method+" "+r.Path, r.handler(a))
	}
	m.Handle("/api/", a.api.Lost())
	m.Handle("/", a.kit.Lost())
	return m
}

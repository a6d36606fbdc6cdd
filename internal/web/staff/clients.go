package staff

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/authority"
	"keyturn/internal/client"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/oidc"
	"keyturn/internal/secret"
	"keyturn/internal/web"
)

const clientsPath = "/staff/clients"

// clientFields are what the form of a new client holds.
var clientFields = []string{"name", "kind", "redirects", "leavers", "back", "origins", "audiences", "scopes", "sites"}

// Clients answers "GET /staff/clients". The query may bring back what was typed before a
// proof.
func (s *Staff) Clients() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page, err := s.clientsPage(r, by)
		if err != nil {
			return err
		}
		page.Form = formOf(web.ReadQuery(r))
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) clientsPage(r *http.Request, by authority.Bearer) (page ClientsPage, err error) {
	all, err := s.Apps.Clients(r.Context(), by)
	if err != nil {
		return page, err
	}
	now := s.DB.Clock.Now()
	for _, c := range all {
		row := ClientRow{
			ID: string(c.ID), Name: c.Name, Kind: kindWords(c.Kind), Secret: !c.Public() && !c.Disabled(), Disabled: c.Disabled(),
			Addresses: append(append([]string{}, c.Redirects...), c.Origins...), Since: locale.Moment(c.MadeAt, time.UTC, now),
		}
		if c.Disabled() {
			row.Since = locale.Say(locale.ClientsDisabled, locale.Data{"At": locale.Moment(c.DisabledAt, time.UTC, now)})
		}
		page.Rows = append(page.Rows, row)
	}
	return page, nil
}

func kindWords(k client.Kind) string {
	switch k {
	case client.Web:
		return locale.Say(locale.ClientsWeb)
	case client.Mobile:
		return locale.Say(locale.ClientsMobile)
	case client.Service:
	}
	return locale.Say(locale.ClientsService)
}

// ActOnClient answers "POST /staff/clients": "do" is add, rotate or disable. A secret stands
// on the answer itself, this once.
func (s *Staff) ActOnClient() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		var made client.Client
		var text secret.Text
		var why oidc.Denied
		which, _ := id.Parse[id.Client](form.Get("client")) // what is none names none
		switch form.Get("do") {
		case "add":
			order, refs := orderOf(form)
			made, text, why, err = s.Apps.Register(r.Context(), by, order, refs)
		case "rotate":
			made, text, why, err = s.Apps.Rotate(r.Context(), by, which)
		default:
			made, why, err = s.Apps.Disable(r.Context(), by, which)
		}
		if err != nil {
			return err
		}
		page, err := s.clientsPage(r, by)
		if err != nil {
			return err
		}
		if why != "" {
			page.Form, page.Fault = formOf(form), clientFault(why)
			if why == oidc.NotFresh {
				page.Prove = proveAt(clientsPath + "?" + page.Form.query().Encode())
			}
			return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		page.Done = locale.Say(locale.ClientsDone, locale.Data{"Name": made.Name})
		page.ClientID, page.Secret = string(made.ID), text.Reveal()
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// lines are the texts of a field that has one on each line.
func lines(text string) []string { return strings.Fields(text) }

func orderOf(form web.Fields) (client.Order, []string) {
	o := client.Order{
		Name: strings.TrimSpace(form.Get("name")), Kind: client.Kind(form.Get("kind")), Redirects: lines(form.Get("redirects")),
		PostLogouts: lines(form.Get("leavers")), BackChannel: strings.TrimSpace(form.Get("back")), Origins: lines(form.Get("origins")),
		Audiences: lines(form.Get("audiences")),
	}
	for _, word := range lines(form.Get("scopes")) {
		o.Scopes = append(o.Scopes, apikey.Scope(word))
	}
	refs := lines(form.Get("sites"))
	o.All = len(refs) == 0
	return o, refs
}

func clientFault(why oidc.Denied) string {
	key, ok := map[oidc.Denied]locale.Key{
		oidc.NotFresh: locale.ClientsNotFresh, oidc.Taken: locale.ClientsTaken, oidc.NoSite: locale.ClientsNoSite, oidc.NoClient: locale.ClientsGone,
		oidc.Denied(client.WrongName): locale.ClientsWrongName, oidc.Denied(client.AllTokens): locale.ClientsWrongTokens,
		oidc.Denied(client.NeedsRedirect): locale.ClientsNeedsRedirect, oidc.Denied(client.NeedsAudience): locale.ClientsNeedsAudience,
		oidc.Denied(client.NeedsScope): locale.ClientsNeedsScope, oidc.Denied(client.NotOfKind): locale.ClientsNotOfKind,
		oidc.Denied(client.WrongScope): locale.ClientsWrongScope, oidc.Denied(client.WrongRedirect): locale.ClientsWrongRedirect,
		oidc.Denied(client.WrongRedirectApp): locale.ClientsWrongRedirectApp, oidc.Denied(client.WrongBack): locale.ClientsWrongBack,
		oidc.Denied(client.WrongOrigin): locale.ClientsWrongOrigin, oidc.Denied(client.WrongAudience): locale.ClientsWrongAudience,
	}[why]
	if !ok {
		key = locale.ClientsWrong
	}
	return locale.Say(key)
}

// ClientForm is what was typed of a new client.
type ClientForm struct {
	Name, Kind, Redirects, Leavers, Back, Origins, Audiences, Scopes, Sites string
}

func formOf(f web.Fields) ClientForm {
	return ClientForm{
		f.Get("name"), f.Get("kind"), f.Get("redirects"), f.Get("leavers"), f.Get("back"), f.Get("origins"), f.Get("audiences"), f.Get("scopes"), f.Get("sites"),
	}
}

// query brings it back after a proof.
func (f ClientForm) query() url.Values {
	q := url.Values{}
	for i, value := range []string{f.Name, f.Kind, f.Redirects, f.Leavers, f.Back, f.Origins, f.Audiences, f.Scopes, f.Sites} {
		if value = strings.Join(strings.Fields(value), " "); value != "" {
			q.Set(clientFields[i], value)
		}
	}
	return q
}

// ClientsPage lists the applications and registers another.
type ClientsPage struct {
	Rows []ClientRow
	// Done says what was done; ClientID and Secret are shown this once.
	Done, ClientID, Secret string
	// Fault says why something was not done, Prove where to prove first. May be empty.
	Fault, Prove string
	Form         ClientForm
}

// ClientRow is one application.
type ClientRow struct {
	ID, Name, Kind, Since string
	Addresses             []string
	// Secret says that it has one that can be changed.
	Secret, Disabled bool
}

// Head implements web.Page.
func (p ClientsPage) Head() web.Head {
	return web.Head{Template: "staff/clients", Title: locale.Say(locale.ClientsTitle), Problem: p.Fault, Layout: web.Broad}
}

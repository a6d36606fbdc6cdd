package main

import (
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

//go:embed page.html workshop.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// Product is the whole of it.
type Product struct {
	Log      *slog.Logger
	Keyturn  *Keyturn
	Sessions *Sessions
	Shops    *Shops
	Banners  *Banners
}

// Section is a page with a list, and a form for whoever may add to it.
type Section struct {
	Path, Title string
	// Open are the permissions of which one opens the page, Add is the one that adds.
	Open []string
	Add  string
	// Verb is on the button, Fields are what the form asks for.
	Verb   string
	Fields []string
	list   func(*Shop) Table
	add    func(*Shop, Person, Form) (string, error)
}

// sections are the pages, with the permissions of product's members that Keyturn keeps.
var sections = []Section{
	{"/customers", "Customers", []string{"customers"}, "customers", "Add the customer", []string{"Name", "Phone"}, customers, addCustomer},
	{"/vehicles", "Vehicles", []string{"vehicles"}, "vehicles", "Add the vehicle", []string{"Plate", "Model", "Owner"}, vehicles, addVehicle},
	{"/jobs", "Job cards", []string{"job_cards"}, "job_cards", "Open a job card", []string{"Plate", "Work"}, jobs, addJob},
	{"/invoices", "Invoices", []string{"invoices", "invoices.read"}, "invoices", "Make the invoice", []string{"Customer", "Work", "Amount"}, invoices, addInvoice},
	{"/payments", "Payments", []string{"payments"}, "payments", "Take the payment", []string{"Invoice", "Amount"}, payments, addPayment},
	{"/events", "Who did what", []string{"event_log"}, "", "", nil, events, nil},
}

// refunds stand alone: they ask for a proof.
var refunds = Section{"/refunds", "Refunds", []string{"payments"}, "payments", "Refund it", []string{"Payment"}, payments, refund}

// Handler serves the product.
func (p *Product) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", p.home)
	m.HandleFunc("GET /signin", p.signIn)
	m.HandleFunc("GET /signed-in", p.signedIn)
	m.HandleFunc("POST /signout", p.signOut)
	m.HandleFunc("POST /backchannel", p.backChannel)
	m.Handle("POST /site", p.in("", nil, p.open))
	for _, s := range sections {
		m.Handle("GET "+s.Path, p.in("", s.Open, p.show(s)))
		if s.add != nil {
			m.Handle("POST "+s.Path, p.in("", []string{s.Add}, p.change(s)))
		}
	}
	m.Handle("GET "+refunds.Path, p.in(TwoFactors, refunds.Open, p.show(refunds)))
	m.Handle("POST "+refunds.Path, p.in(TwoFactors, refunds.Open, p.change(refunds)))
	m.HandleFunc("GET /workshop.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "workshop.css") })
	m.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	// A form of another site, or of another port of this one, is refused.
	return p.headers(http.NewCrossOriginProtection().Handler(m))
}

func (p *Product) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// Signing out is a form of ours that leads to Keyturn: form-action has to name it.
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self' "+p.Keyturn.Issuer+"; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// handler serves somebody who is in.
type handler func(w http.ResponseWriter, r *http.Request, s *Session, v Visit)

// in is the one guard: it lets a request through whose session Keyturn confirms, at a
// workshop whose requirement is met, for a member with one of the permissions, who proved at
// least acr. Without permissions a workshop need not be open.
func (p *Product) in(acr string, any []string, next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, v, ok := p.session(w, r)
		switch {
		case !ok:
		case s == nil:
			p.send(w, r, acr)
		case any == nil:
			next(w, r, s, v)
		case v.At.ID == "":
			p.home(w, r)
		case !v.At.Satisfied:
			p.render(w, r, http.StatusForbidden, View{Visit: v, Title: "More to prove", Proof: true})
		case !v.At.May(any...):
			p.render(w, r, http.StatusForbidden, View{Visit: v, Title: "Not for your group", Denied: true})
		case !AtLeast(v.ACR, acr):
			p.send(w, r, acr)
		default:
			next(w, r, s, v)
		}
	})
}

// session finds who is in; s is nil for nobody. ok is false where the answer is given:
// without Keyturn's word nothing is shown.
func (p *Product) session(w http.ResponseWriter, r *http.Request) (s *Session, v Visit, ok bool) {
	text := p.cookie(r, sessionCookie)
	if s = p.Sessions.Of(text); s == nil {
		return nil, v, true
	}
	v, err := s.Current(r.Context(), p.Keyturn, p.Sessions.now())
	switch {
	case errors.Is(err, ErrOver):
		p.Sessions.End(text)
		return nil, v, true
	case err != nil:
		p.Log.WarnContext(r.Context(), "Keyturn could not be asked", "error", err.Error())
		p.render(w, r, http.StatusServiceUnavailable, View{Title: "The sign-in does not answer", Problem: "Nothing is lost. Try again in a minute."})
		return nil, v, false
	}
	return s, v, true
}

// send has somebody sign in, or prove more, and come back to the page they wanted.
func (p *Product) send(w http.ResponseWriter, r *http.Request, acr string) {
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		next = r.URL.Path // the page with the form: what was typed is not kept
	}
	p.begin(w, r, next, acr)
}

// signIn is "GET /signin?next=/page", and with more=1 also for more than was proved.
func (p *Product) signIn(w http.ResponseWriter, r *http.Request) {
	acr := ""
	if r.FormValue("more") != "" {
		acr = TwoFactors
	}
	p.begin(w, r, local(r.FormValue("next")), acr)
}

func (p *Product) begin(w http.ResponseWriter, r *http.Request, next, acr string) {
	asked, to, err := p.Keyturn.Ask(r.Context(), next, acr)
	if err != nil {
		p.Log.WarnContext(r.Context(), "Keyturn could not be asked", "error", err.Error())
		p.render(w, r, http.StatusServiceUnavailable, View{Title: "The sign-in does not answer", Problem: "Try again in a minute."})
		return
	}
	text, _ := json.Marshal(asked) // of texts
	p.setCookie(w, askedCookie(asked.State), base64.RawURLEncoding.EncodeToString(text), 30*time.Minute)
	leave(w, to)
}

// signedIn is where Keyturn's answer arrives.
func (p *Product) signedIn(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	name := askedCookie(q.Get("state"))
	var asked Asked
	if text, err := base64.RawURLEncoding.DecodeString(p.cookie(r, name)); err == nil {
		_ = json.Unmarshal(text, &asked) // what is no request of ours is refused below
	}
	p.setCookie(w, name, "", -1)
	grant, who, err := p.Keyturn.Answer(r.Context(), asked, q)
	if refused := (Refused{}); errors.As(err, &refused) {
		p.Log.InfoContext(r.Context(), "nobody was signed in", "why", err.Error())
		p.render(w, r, http.StatusForbidden, View{Title: "You are not signed in", Problem: words(refused.Code)})
		return
	}
	if err != nil {
		p.Log.WarnContext(r.Context(), "Keyturn could not be asked", "error", err.Error())
		p.render(w, r, http.StatusServiceUnavailable, View{Title: "The sign-in does not answer", Problem: "Try again in a minute."})
		return
	}
	at := ""
	if before := p.Sessions.Of(p.cookie(r, sessionCookie)); before != nil {
		at = before.Place(who.Subject) // they proved more, and go on where they were
		p.Sessions.End(p.cookie(r, sessionCookie))
	}
	p.setCookie(w, sessionCookie, p.Sessions.Begin(grant, who, at), 0)
	leave(w, local(asked.Next))
}

// words say why somebody is not in, and what helps.
func words(code string) string {
	switch code {
	case "access_denied":
		return "You have no place at a workshop here. Ask your workshop's Admin for one."
	case "unmet_authentication_requirements":
		return "This needs two-factor authentication, and you have no way to pass it yet. Set one up in My security, then come back."
	}
	return "The sign-in did not come back as it went. Begin again; if that does not help, tell support the word “" + code + "”."
}

// signOut ends the session here, and has Keyturn end its own.
func (p *Product) signOut(w http.ResponseWriter, r *http.Request) {
	text, to := p.cookie(r, sessionCookie), "/"
	if s := p.Sessions.Of(text); s != nil {
		to = p.Keyturn.Leave(s.Grant())
		p.Sessions.End(text)
	}
	p.setCookie(w, sessionCookie, "", -1)
	leave(w, to)
}

// backChannel is told by Keyturn of a session that ended. 400: do not send this again. 503:
// send it later.
func (p *Product) backChannel(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	sid, err := p.Keyturn.Ended(r.Context(), r.PostFormValue("logout_token"))
	switch refused := (Refused{}); {
	case errors.As(err, &refused):
		w.WriteHeader(http.StatusBadRequest)
	case err != nil:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		p.Log.InfoContext(r.Context(), "Keyturn ended a session", "here", p.Sessions.EndSID(sid))
	}
}

// open is "POST /site": another workshop.
func (p *Product) open(w http.ResponseWriter, r *http.Request, s *Session, _ Visit) {
	s.Open(r.PostFormValue("site")) // of which nothing is shown that is not theirs
	leave(w, "/")
}

func (p *Product) home(w http.ResponseWriter, r *http.Request) {
	s, v, ok := p.session(w, r)
	switch {
	case !ok:
	case s == nil:
		p.render(w, r, http.StatusOK, View{Title: "Workshop"})
	case v.At.ID == "":
		p.render(w, r, http.StatusOK, View{Visit: v, Title: "Which workshop?"})
	default:
		p.render(w, r, http.StatusOK, View{Visit: v, Title: v.At.Name, Proof: !v.At.Satisfied})
	}
}

func (p *Product) show(s Section) handler {
	return func(w http.ResponseWriter, r *http.Request, _ *Session, v Visit) {
		p.list(w, r, http.StatusOK, s, v, "")
	}
}

func (p *Product) change(s Section) handler {
	return func(w http.ResponseWriter, r *http.Request, _ *Session, v Visit) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		err := p.Shops.Of(v.At).Do(v.Person, r.PostFormValue, s.add)
		if err != nil {
			p.list(w, r, http.StatusUnprocessableEntity, s, v, err.Error())
			return
		}
		leave(w, s.Path)
	}
}

func (p *Product) list(w http.ResponseWriter, r *http.Request, status int, s Section, v Visit, problem string) {
	view := View{Visit: v, Title: s.Title, Problem: problem, Section: s, Table: p.Shops.Of(v.At).Read(s.list)}
	view.MayAdd = s.add != nil && v.At.May(s.Add)
	p.render(w, r, status, view)
}

// View is what a page shows.
type View struct {
	Visit

	Title, Problem string
	// Denied says that the group may not, Proof that the workshop asks for more.
	Denied, Proof bool
	Section       Section
	Table         Table
	MayAdd        bool

	// These are filled in by render.
	Path, Issuer string
	Menu         []Section
	Banner       template.HTML
}

func (p *Product) render(w http.ResponseWriter, r *http.Request, status int, v View) {
	v.Path, v.Issuer = r.URL.Path, p.Keyturn.Issuer
	if v.At.Satisfied {
		for _, s := range append(slices.Clip(sections), refunds) {
			if v.At.May(s.Open...) {
				v.Menu = append(v.Menu, s)
			}
		}
		var err error
		if v.Banner, err = p.Banners.For(r.Context(), v.At); err != nil {
			p.Log.InfoContext(r.Context(), "no banner", "error", err.Error())
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := page.Execute(w, v); err != nil {
		p.Log.InfoContext(r.Context(), "a page was not sent whole", "error", err.Error())
	}
}

// leave sends a browser on, with GET.
func leave(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// local is an address of a page of ours, whatever came: never one of another site.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n") || len(next) > 500 {
		return "/"
	}
	return next
}

// sessionCookie is the session's.
const sessionCookie = "workshop"

// askedCookie is that of one request to sign in: two tabs have two.
func askedCookie(state string) string { return "workshop_ask_" + state[:min(8, len(state))] }

// named is a cookie's name: over https with the prefix that keeps other hosts of the domain
// from setting it.
func (p *Product) named(name string) string {
	if strings.HasPrefix(p.Keyturn.Self, "https:") {
		return "__Host-" + name
	}
	return name
}

func (p *Product) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(p.named(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a cookie for so long; 0: as long as the browser is open, below 0: not at all.
func (p *Product) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the address: http is this machine alone
		Name: p.named(name), Value: value, Path: "/", MaxAge: int(life / time.Second), HttpOnly: true,
		Secure: strings.HasPrefix(p.Keyturn.Self, "https:"), SameSite: http.SameSiteLaxMode,
	})
}

package fake

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

var errAsk = errors.New("the app did not ask as it must")

// check says whether an app asks as it must.
func (x *Xero) check(q url.Values) error {
	for name, want := range map[string]string{
		"response_type": "code", "client_id": x.app.ClientID, "redirect_uri": x.app.Redirect, "code_challenge_method": "S256",
	} {
		if q.Get(name) != want {
			return fmt.Errorf("%w: %s", errAsk, name)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 43 {
			return fmt.Errorf("%w: %s", errAsk, name)
		}
	}
	for _, scope := range []string{"openid", "profile", "email", "offline_access"} {
		if !slices.Contains(strings.Fields(q.Get("scope")), scope) {
			return fmt.Errorf("%w: scope", errAsk)
		}
	}
	return nil
}

// asked are the fields that the page hands on.
var asked = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method"}

// authorizePage shows who may let the app in, and into what. Pages of one person have their
// organisations; with several people one is chosen first.
func (x *Xero) authorizePage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if err := x.check(q); err != nil {
		page(w, http.StatusBadRequest, "<h1>Something is not right</h1><p>"+html.EscapeString(err.Error())+"</p>")
		return
	}
	x.mu.Lock()
	people := slices.Clone(x.people)
	x.mu.Unlock()
	at := x.app.Path + AuthorizePath
	i := slices.IndexFunc(people, func(p Person) bool { return p.ID == q.Get("as") })
	if len(people) == 1 {
		i = 0
	}
	var b strings.Builder
	if i < 0 {
		b.WriteString("<h1>Who are you at Xero?</h1><p>This is not Xero: it stands in for it. Everybody here is invented.</p><ul>")
		for _, p := range people {
			q.Set("as", p.ID)
			fmt.Fprintf(&b, `<li><a href="%s">%s, %s</a></li>`, html.EscapeString(at+"?"+q.Encode()), html.EscapeString(p.Name), html.EscapeString(p.Email))
		}
		b.WriteString("</ul>")
		page(w, http.StatusOK, b.String())
		return
	}
	fmt.Fprintf(&b, `<h1>Let the app in?</h1><p>This is not Xero: it stands in for it. You are %s.</p><form method="post" action="%s">`,
		html.EscapeString(people[i].Name), html.EscapeString(at))
	for _, name := range asked {
		fmt.Fprintf(&b, `<input type="hidden" name="%s" value="%s">`, name, html.EscapeString(q.Get(name)))
	}
	fmt.Fprintf(&b, `<input type="hidden" name="as" value="%s"><fieldset><legend>Organisations</legend>`, html.EscapeString(people[i].ID))
	for n, o := range people[i].Organisations {
		on := ""
		if n == 0 {
			on = " checked"
		}
		fmt.Fprintf(&b, `<p><label><input type="checkbox" name="organisation" value="%s"%s> %s</label></p>`, html.EscapeString(o.ID), on, html.EscapeString(o.Name))
	}
	b.WriteString(`</fieldset><p><button name="answer" value="allow">Allow access</button> <button name="answer" value="cancel">Cancel</button></p></form>`)
	page(w, http.StatusOK, b.String())
}

func page(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en-AU"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>A fake Xero</title></head><body><main>%s</main></body></html>`, body)
}

// authorize takes what the person pressed.
func (x *Xero) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || x.check(r.PostForm) != nil {
		page(w, http.StatusBadRequest, "<h1>Something is not right</h1>")
		return
	}
	var chosen []string
	if r.PostForm.Get("answer") == "allow" {
		chosen = r.PostForm["organisation"]
	}
	back, err := x.letIn(r.PostForm, r.PostForm.Get("as"), chosen)
	if err != nil {
		page(w, http.StatusBadRequest, "<h1>Something is not right</h1>")
		return
	}
	w.Header().Set("Location", back)
	w.WriteHeader(http.StatusFound)
}

// Allow is what a person does at the page: they let the app into organisations, none of
// which is the press of Cancel. It gives the address that their browser is sent back to.
func (x *Xero) Allow(address, person string, organisations ...string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if err := x.check(u.Query()); err != nil {
		return "", err
	}
	return x.letIn(u.Query(), person, organisations)
}

func (x *Xero) letIn(q url.Values, person string, organisations []string) (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	i := slices.IndexFunc(x.people, func(p Person) bool { return p.ID == person })
	if i < 0 {
		return "", fmt.Errorf("%w: nobody has this login", errAsk)
	}
	back, err := url.Parse(x.app.Redirect)
	if err != nil {
		return "", err
	}
	answer := url.Values{"state": {q.Get("state")}}
	if len(organisations) == 0 {
		answer.Set("error", "access_denied")
		back.RawQuery = answer.Encode()
		return back.String(), nil
	}
	now, event := x.app.Now(), newID()
	for _, o := range x.people[i].Organisations {
		if !slices.Contains(organisations, o.ID) {
			continue
		}
		n := slices.IndexFunc(x.connections, func(c *connection) bool { return c.person == person && c.organisation.ID == o.ID })
		if n >= 0 {
			x.connections[n].event = event
			continue
		}
		x.connections = append(x.connections, &connection{id: newID(), person: person, event: event, organisation: o, made: now})
	}
	given := rand.Text()
	x.codes[given] = &code{
		redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), nonce: q.Get("nonce"),
		person: person, event: event, until: now.Add(codeLife),
	}
	answer.Set("code", given)
	answer.Set("scope", q.Get("scope"))
	answer.Set("session_state", newID())
	back.RawQuery = answer.Encode()
	return back.String(), nil
}

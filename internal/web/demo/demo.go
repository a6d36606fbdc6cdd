// Package demo is the desk of a demonstration: who there is and what to try, the inbox
// where every mail arrives, a clock that can be moved, and a plug for Xero.
//
// It shows everybody's password and lets anybody do anything, so it belongs to nothing
// but a demo: its routes are added by the command that makes one, and Guard keeps it on
// the computer where it runs.
package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"keyturn/internal/connect"
	"keyturn/internal/db"
	story "keyturn/internal/demo"
	"keyturn/internal/setup"
	"keyturn/internal/standing"
	"keyturn/internal/web"
	"keyturn/internal/xero/fake"
)

//go:embed *.html *.css
var files embed.FS

// Face is the desk's pages and styles, for the kit.
func Face() web.Face {
	return web.Face{Name: "demo", Files: files}
}

// Desk serves the demo's own pages. Every field is needed, but for Standing.
type Desk struct {
	Kit *web.Kit
	// DB is the demo's database; its clock is the one that is moved.
	DB    *db.DB
	Inbox *story.Inbox
	Setup *setup.Desk
	// Fake stands in for Xero, and Connect connects sites to it. Both may be nil: then there
	// is no Xero.
	Fake    *fake.Xero
	Connect *connect.Desk
	// People are those that Seed answered.
	People []story.Person
	// Standing is the one that signs people in, so that the desk foretells what they meet.
	Standing standing.Source
	// Kept says that the data outlive the demo.
	Kept bool
	// Example is where a product beside the demo answers; empty: none runs.
	Example string
}

// Route is one line of a URL map.
type Route struct {
	Method, Path string
	Handler      http.Handler
}

// Routes are the desk's pages.
func (d *Desk) Routes() []Route {
	get, post := http.MethodGet, http.MethodPost
	return append(d.xeroRoutes(), []Route{
		{get, "/demo", d.Home()},
		{post, "/demo/clock", d.Clock()},
		{post, "/demo/xero", d.Xero()},
		{get, "/demo/authenticator", d.Authenticator()},
		{get, "/demo/inbox", d.Mail()},
		{get, "/demo/inbox.json", d.MailJSON()},
		{get, "/demo/inbox/{number}", d.Letter()},
		{get, "/demo/inbox/{number}/html", d.LetterHTML()},
	}...)
}

// wantsJSON says that a program asks: it accepts JSON and no page.
func wantsJSON(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

// answerJSON answers with 200.
func answerJSON(w http.ResponseWriter, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // the client has gone away
	return nil
}

package demo

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	story "keyturn/internal/demo"
	"keyturn/internal/fault"
	"keyturn/internal/locale"
	"keyturn/internal/message"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// listedMost is how many messages the page lists. The JSON has them all.
const listedMost = 200

// InboxPage lists messages, the newest first.
type InboxPage struct {
	// To is whose; empty is everybody's.
	To string
	// Refused says why this mailbox takes no mail. May be empty.
	Refused  string
	Messages []MessagePart
	// Cut says that there are older ones that are not listed.
	Cut bool
	// Most is how many are listed at most.
	Most int
}

// MessagePart is one message of the list.
type MessagePart struct {
	Number int64
	// Code is the code in the subject. May be empty.
	Code        string
	Subject, To string
	At          string
}

// Head implements web.Page.
func (p InboxPage) Head() web.Head {
	return web.Head{Template: "demo/inbox", Title: locale.Say(locale.DemoInboxTitle), Layout: web.Broad}
}

// LetterPage is one message.
type LetterPage struct {
	Number            int64
	Subject, To, Text string
	At                string
	// HTML says that it has that form, too.
	HTML bool
}

// Head implements web.Page.
func (p LetterPage) Head() web.Head {
	return web.Head{Template: "demo/letter", Title: p.Subject, Layout: web.Broad}
}

// Mail answers "GET /demo/inbox", with "to" for one address alone.
func (d *Desk) Mail() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		to := r.URL.Query().Get("to")
		found := d.Inbox.Entries(to)
		page := InboxPage{To: to, Refused: refusedWords(d.Inbox.Refuses(to)), Most: listedMost, Cut: len(found) > listedMost}
		zone, err := d.zone(r)
		if err != nil {
			return err
		}
		now := d.DB.Clock.Now()
		for _, e := range found[:min(len(found), listedMost)] {
			subject, _, _ := strings.Cut(e.Text, "\n") // an SMS has no other
			if e.Subject != "" {
				subject = e.Subject
			}
			page.Messages = append(page.Messages, MessagePart{
				Number: e.Number, Code: codeIn(subject), Subject: subject, To: e.To, At: seconds(e.At, zone, now),
			})
		}
		return d.Kit.Show(w, r, http.StatusOK, page)
	})
}

// seconds says when a message came, to the second: several come in a minute.
func seconds(at time.Time, zone *time.Location, now time.Time) string {
	if now.Sub(at) < 12*time.Hour {
		return locale.ClockSeconds(at, zone)
	}
	return locale.Exact(at, zone, now)
}

// refusedWords says why a mailbox takes no mail; empty if it does.
func refusedWords(why message.Reason) string {
	switch why { //nolint:exhaustive // a mailbox has no other reasons
	case "":
		return ""
	case message.MailboxFull:
		return locale.Say(locale.DemoInboxFull)
	case message.NoSuchMailbox:
		return locale.Say(locale.DemoInboxUnknown)
	case message.Blocked, message.RelayDown, message.Timeout, message.TLS, message.Auth, message.Other:
	}
	return locale.Say(locale.DemoInboxRefused)
}

var digits = regexp.MustCompile(`(?:^|[^\d ] ?)(\d{3} ?\d{3})(?: ?[^\d ]|$)`)

// codeIn finds the six digits of a subject; empty if there are none.
func codeIn(subject string) string {
	if m := digits.FindStringSubmatch(subject); m != nil {
		return m[1]
	}
	return ""
}

// zone is where the times of the inbox are said: that of the first site.
func (d *Desk) zone(r *http.Request) (*time.Location, error) {
	if len(d.People) == 0 {
		return time.UTC, nil
	}
	s, err := site.ByRef(r.Context(), d.DB, d.People[0].SiteRef)
	return s.Zone, err
}

// arrived is one message as scripts read it.
type arrived struct {
	Channel string    `json:"channel"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// MailJSON answers "GET /demo/inbox.json", with "to" for one address alone: the newest
// first, and an empty list where nothing came.
func (d *Desk) MailJSON() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		found := d.Inbox.Entries(r.URL.Query().Get("to"))
		list := make([]arrived, 0, len(found))
		for _, e := range found {
			list = append(list, arrived{string(e.Channel), e.To, e.Subject, e.Text, e.At.UTC()})
		}
		return answerJSON(w, list)
	})
}

// Letter answers "GET /demo/inbox/{number}".
func (d *Desk) Letter() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		e, err := d.entry(r)
		if err != nil {
			return err
		}
		zone, err := d.zone(r)
		if err != nil {
			return err
		}
		return d.Kit.Show(w, r, http.StatusOK, LetterPage{
			Number: e.Number, Subject: e.Subject, To: e.To, Text: e.Text, HTML: e.HTML != "",
			At: locale.Exact(e.At, zone, d.DB.Clock.Now()),
		})
	})
}

// letterCSP is for a mail shown as a page of its own: it may look as it likes, and run,
// load, send and frame nothing.
const letterCSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; " +
	"frame-ancestors 'none'; base-uri 'none'; sandbox"

// LetterHTML answers "GET /demo/inbox/{number}/html": the mail as a mail program shows it.
func (d *Desk) LetterHTML() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		e, err := d.entry(r)
		if err != nil {
			return err
		}
		if e.HTML == "" {
			return fault.NotFound
		}
		w.Header().Set("Content-Security-Policy", letterCSP)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(e.HTML)) // the browser has gone away
		return nil
	})
}

func (d *Desk) entry(r *http.Request) (story.Entry, error) {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil {
		return story.Entry{}, fault.NotFound
	}
	e, ok := d.Inbox.Entry(number)
	if !ok {
		return story.Entry{}, fault.NotFound
	}
	return e, nil
}

package demo

import (
	"errors"
	"net/http"
	"time"

	story "keyturn/internal/demo"
	"keyturn/internal/fault"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// moves are the lengths that have a button: a code runs out, a session locks, a day
// ends, a site's date has come.
var moves = []time.Duration{10 * time.Minute, 31 * time.Minute, 24 * time.Hour, 13 * 24 * time.Hour}

// Clock answers "POST /demo/clock": it moves the clock forward by "advance", a Go
// duration from 1s to 9600h. A page is sent back to the desk; a program that accepts
// JSON gets the new time.
func (d *Desk) Clock() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		now, err := story.Advance(d.DB.Clock, form.Get("advance"))
		switch {
		case errors.Is(err, fault.Invalid) && !wantsJSON(r):
			return d.show(w, r, http.StatusBadRequest, said{problem: locale.Say(locale.DemoClockBad)})
		case err != nil:
			return err
		case wantsJSON(r):
			return answerJSON(w, map[string]time.Time{"now": now})
		}
		return web.Go(w, r, "/demo?did="+didClock)
	})
}

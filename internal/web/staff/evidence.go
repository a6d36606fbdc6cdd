package staff

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/evidence"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// Evidence answers "GET /staff/evidence". The query may bring back what was typed before a
// proof.
func (s *Staff) Evidence() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page, err := s.evidencePage(r, by, web.ReadQuery(r))
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) evidencePage(r *http.Request, by authority.Bearer, typed web.Fields) (EvidencePage, error) {
	page := EvidencePage{
		From: typed.Get("from"), Until: typed.Get("until"), Make: "keyturn evidence --out evidence.json",
		Command: "keyturn evidence verify evidence.json --key '" + s.Packs.Keys.VerifierText() + "'",
	}
	given, err := s.Packs.Given(r.Context(), by)
	page.Given, page.Many = given, given > evidence.MostSites
	return page, err
}

// TakeEvidence answers "POST /staff/evidence": the pack of the sites that are given to
// whoever asks, as one archive. It takes a fresh proof.
func (s *Staff) TakeEvidence() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		ask, fault := period(form.Get("from"), form.Get("until"))
		var refused evidence.Refused
		if fault == "" {
			if ask, refused, err = s.Packs.Take(r.Context(), by, ask); err != nil {
				return err
			}
			fault = packFault(refused)
		}
		switch {
		case refused == evidence.NotFresh:
			return prove(w, r, "/staff/evidence?"+url.Values{"from": {form.Get("from")}, "until": {form.Get("until")}}.Encode())
		case fault != "":
			page, err := s.evidencePage(r, by, form)
			if err != nil {
				return err
			}
			page.Fault = fault
			return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		return s.sendEvidence(w, r, ask)
	})
}

// sendEvidence makes the pack wholly before the first byte leaves: what goes wrong is a page
// and not half a file.
func (s *Staff) sendEvidence(w http.ResponseWriter, r *http.Request, ask evidence.Ask) (err error) {
	f, err := os.CreateTemp("", "keyturn-evidence-*.zip")
	if err != nil {
		return fmt.Errorf("make a pack: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	pack, err := s.Packs.Zip(r.Context(), ask, "evidence.json", f)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("make a pack: %w", err)
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="keyturn-evidence-`+pack.At.Format(time.DateOnly)+`.zip"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.Copy(w, f) // the client has gone away
	return nil
}

// period reads days of UTC; both may be empty.
func period(from, until string) (ask evidence.Ask, fault string) {
	read := func(typed string, later int) time.Time {
		if typed == "" {
			return time.Time{}
		}
		day, err := time.Parse(time.DateOnly, typed)
		if err != nil {
			fault = locale.Say(locale.EvidenceConsoleDay)
			return time.Time{}
		}
		return day.AddDate(0, 0, later)
	}
	ask.From, ask.Until = read(from, 0), read(until, 1)
	return ask, fault
}

func packFault(refused evidence.Refused) string {
	switch refused {
	case evidence.WrongPeriod:
		return locale.Say(locale.EvidenceConsoleSwapped)
	case evidence.NoSite:
		return locale.Say(locale.EvidenceConsoleNone)
	case evidence.TooMany:
		return locale.Say(locale.EvidenceConsoleMany)
	case evidence.NotFresh:
	}
	return ""
}

// EvidencePage makes a pack.
type EvidencePage struct {
	// Given is how many sites are given to whoever looks; Many that they are too many.
	Given int
	Many  bool
	// From and Until are the days as they were typed.
	From, Until, Fault string
	// Make is what is typed for a pack of all sites, Command to check one.
	Make, Command string
}

// Head implements web.Page.
func (p EvidencePage) Head() web.Head {
	return web.Head{Template: "staff/evidence", Title: locale.Say(locale.EvidenceConsoleTitle), Problem: p.Fault, Layout: web.Broad}
}

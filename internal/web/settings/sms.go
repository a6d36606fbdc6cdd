package settings

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"keyturn/internal/balance"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/manager"
	"keyturn/internal/user"
	"keyturn/internal/web"
)

// linesShown is how many lines of a statement a page has.
const linesShown = 50

// SMS answers "GET /sites/{site}/settings/sms".
func (s *Settings) SMS() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.smsPage(r, a)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Settings) smsPage(r *http.Request, a admin) (SMSPage, error) {
	ctx, now := r.Context(), s.DB.Clock.Now()
	page := SMSPage{Site: a.site.Name, Path: a.path, BuyURL: s.BuyURL}
	of, err := manager.Of(ctx, s.DB, a.site)
	if err != nil {
		return page, err
	}
	page.Manager = web.ContactOf(of)
	account, err := balance.Of(ctx, s.DB, s.DB.Clock.Now(), a.site.ID)
	if err != nil {
		return page, err
	}
	page.Available, page.Held, page.Float = account.Available, account.Held, account.Float
	page.Low = account.Available <= account.Float
	forecast, err := balance.Foresee(ctx, s.DB, now, a.site.ID)
	if err != nil {
		return page, err
	}
	page.Forecast = locale.Say(locale.SettingsSmsLastsUnknown)
	if forecast.Known {
		page.Forecast = locale.Say(locale.SettingsSmsLasts, locale.Data{
			"Span": locale.Span(forecast.EmptyAt.Sub(now)), "Day": locale.Day(forecast.EmptyAt, a.site.Zone),
		})
	}
	names := map[id.User]string{}
	if err := s.use(r, a, &page, names, now); err != nil {
		return page, err
	}
	return page, s.statement(r, a, &page, names, now)
}

// use fills in what was used in the last 28 days: by whom, and on which day.
func (s *Settings) use(r *http.Request, a admin, page *SMSPage, names map[id.User]string, now time.Time) error {
	const days = 28
	since := now.AddDate(0, 0, -days)
	used, err := balance.UseSince(r.Context(), s.DB, a.site.ID, since)
	if err != nil {
		return err
	}
	for _, u := range used {
		name, err := s.name(r, names, u.User)
		if err != nil {
			return err
		}
		page.Users = append(page.Users, Use{Name: name, Parts: u.Parts})
	}
	perDay, err := balance.Days(r.Context(), s.DB, a.site.ID, balance.Span{Until: now, Days: days, Zone: a.site.Zone})
	if err != nil {
		return err
	}
	page.Bars = bars(perDay)
	return nil
}

// bars draws one bar for each day, in a drawing of 280 by 60. Without any use there is
// none.
func bars(perDay []int) []Bar {
	const step, high = 10, 56
	most := 0
	for _, n := range perDay {
		most = max(most, n)
	}
	if most == 0 {
		return nil
	}
	var all []Bar
	for i, n := range perDay {
		h := max(1, n*high/most)
		all = append(all, Bar{X: i * step, Y: 60 - h, H: h})
	}
	return all
}

func (s *Settings) statement(r *http.Request, a admin, page *SMSPage, names map[id.User]string, now time.Time) error {
	before, err := strconv.ParseInt(web.ReadQuery(r).Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	entries, err := balance.Statement(r.Context(), s.DB, a.site.ID, before, linesShown+1)
	if err != nil {
		return err
	}
	if len(entries) > linesShown {
		entries = entries[:linesShown]
		page.Older = a.path + "/sms?before=" + strconv.FormatInt(entries[linesShown-1].No, 10)
	}
	for _, e := range entries {
		who := e.ByName
		if e.User != "" {
			if who, err = s.name(r, names, e.User); err != nil {
				return err
			}
		}
		page.Lines = append(page.Lines, Line{
			At: locale.Moment(e.At, a.site.Zone, now), What: entryWords(e.Kind), Who: who,
			Parts: signed(e), After: e.AvailableAfter,
		})
	}
	return nil
}

func (s *Settings) name(r *http.Request, names map[id.User]string, who id.User) (string, error) {
	if name, ok := names[who]; ok {
		return name, nil
	}
	u, err := user.ByID(r.Context(), s.DB, who)
	if err != nil {
		return "", err
	}
	names[who] = u.Name()
	return names[who], nil
}

// signed is what a movement did to what can be spent.
func signed(e balance.Entry) string {
	switch e.Kind {
	case balance.Held:
		return "−" + strconv.Itoa(e.Parts)
	case balance.Charged:
		return "0"
	case balance.Opened, balance.ToppedUp, balance.Released, balance.Refunded:
	}
	return "+" + strconv.Itoa(e.Parts)
}

func entryWords(kind balance.EntryKind) string {
	switch kind {
	case balance.Opened:
		return locale.Say(locale.SettingsEntryOpening)
	case balance.ToppedUp:
		return locale.Say(locale.SettingsEntryTopup)
	case balance.Held:
		return locale.Say(locale.SettingsEntryHold)
	case balance.Charged:
		return locale.Say(locale.SettingsEntryCharge)
	case balance.Released:
		return locale.Say(locale.SettingsEntryRelease)
	case balance.Refunded:
		return locale.Say(locale.SettingsEntryRefund)
	}
	return string(kind)
}

// SMSFile answers "GET /sites/{site}/settings/sms.csv".
func (s *Settings) SMSFile() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="sms-statement.csv"`)
		w.Header().Set("Cache-Control", "no-store")
		if err := balance.WriteCSV(r.Context(), s.DB, a.site.ID, w, a.site.Zone); err != nil {
			return fmt.Errorf("write a statement: %w", err)
		}
		return nil
	})
}

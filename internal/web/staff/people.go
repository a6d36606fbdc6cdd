package staff

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/console"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/message"
	"keyturn/internal/twoperson"
	"keyturn/internal/user"
	"keyturn/internal/web"
)

// People answers "GET /staff/people". The query may bring back what was typed before a
// proof.
func (s *Staff) People() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page, err := s.peoplePage(r, by)
		if err != nil {
			return err
		}
		page.User, page.Reason = web.ReadQuery(r).Get("user"), web.ReadQuery(r).Get("reason")
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) peoplePage(r *http.Request, by authority.Bearer) (page PeoplePage, err error) {
	all, err := s.Rescue.Colleagues(r.Context(), by)
	if err != nil {
		return page, err
	}
	waiting, err := s.Second.Waiting(r.Context(), by)
	if err != nil {
		return page, err
	}
	ending := map[id.User]bool{}
	for _, p := range waiting {
		ending[id.User(p.Subject)] = ending[id.User(p.Subject)] || p.Kind == twoperson.EndStaff
	}
	for _, c := range all {
		since := c.Since
		if since.IsZero() {
			since = c.User.CreatedAt
		}
		row := PersonRow{
			ID: string(c.User.ID), Name: c.User.Name(), Login: string(c.User.Login),
			Self: c.User.ID == by.User.ID, Ending: ending[c.User.ID],
			Since: locale.Say(locale.ConsoleStaffSince, locale.Data{"Day": locale.Day(since, time.UTC)}),
		}
		if c.ConfirmedBy != "" {
			who, err := user.ByID(r.Context(), s.DB, c.ConfirmedBy)
			if err != nil {
				return page, err
			}
			row.Since = locale.Say(locale.ConsoleStaffBy, locale.Data{"Day": locale.Day(since, time.UTC), "Who": who.Name()})
		}
		page.Rows = append(page.Rows, row)
	}
	return page, nil
}

// ProposeEnd answers "POST /staff/people": that somebody be staff no more.
func (s *Staff) ProposeEnd() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		who, err := id.Parse[id.User](form.Get("user"))
		if err != nil {
			return err
		}
		reason := form.Get("reason")
		_, refused, err := s.Second.Propose(r.Context(), by, twoperson.Proposal{
			Kind: twoperson.EndStaff, Subject: string(who), Payload: map[string]string{"reason": reason},
		})
		if err != nil {
			return err
		}
		page, err := s.peoplePage(r, by)
		if err != nil {
			return err
		}
		if refused == "" {
			page.Done = locale.Say(locale.ConsoleProposed)
			return s.Kit.Show(w, r, http.StatusOK, page)
		}
		page.User, page.Reason, page.Fault = string(who), reason, secondWords(refused)
		if refused == twoperson.NotFresh {
			page.Prove = proveAt("/staff/people?" + url.Values{"user": {string(who)}, "reason": {reason}}.Encode())
		}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

// AnswerProposal answers "POST /staff/proposals/{proposal}": "do" is confirm or cancel.
func (s *Staff) AnswerProposal() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		which, err := id.Parse[id.Proposal](r.PathValue("proposal"))
		if err != nil {
			return err
		}
		answer, done := s.Second.Confirm, locale.Say(locale.ConsoleConfirmed)
		if form.Get("do") == "cancel" {
			answer, done = s.Second.Cancel, locale.Say(locale.ConsoleCancelled)
		}
		refused, err := answer(r.Context(), by, which)
		if err != nil {
			return err
		}
		if refused == twoperson.NotFresh {
			return prove(w, r, "/staff")
		}
		page, err := s.home(r, by)
		if err != nil {
			return err
		}
		if refused != "" {
			page.Second = secondWords(refused)
			return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
		}
		page.Done = done
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func secondWords(refused twoperson.Refused) string {
	switch refused {
	case twoperson.NotFresh:
		return locale.Say(locale.ConsoleProveFirst)
	case twoperson.SamePerson:
		return locale.Say(locale.ConsoleSecondOwn)
	case twoperson.Already:
		return locale.Say(locale.ConsoleSecondAlready)
	case twoperson.Unfit:
		return locale.Say(locale.ConsoleSecondUnfit)
	case twoperson.Over:
	}
	return locale.Say(locale.StaffChanged)
}

// proposals are those that wait, as the console shows them.
func (s *Staff) proposals(r *http.Request, by authority.Bearer) ([]ProposalRow, error) {
	all, err := s.Second.Waiting(r.Context(), by)
	if err != nil {
		return nil, err
	}
	now := s.DB.Clock.Now()
	var rows []ProposalRow
	for _, p := range all {
		first, err := user.ByID(r.Context(), s.DB, p.ProposedBy)
		if err != nil {
			return nil, err
		}
		row := ProposalRow{
			ID: string(p.ID), What: string(p.Kind), Why: p.Payload["reason"], Own: p.ProposedBy == by.User.ID,
			By:    locale.Say(locale.StaffFactBy, locale.Data{"At": locale.Moment(p.ProposedAt, time.UTC, now), "Who": first.Name()}),
			Until: locale.Say(locale.ConsoleSecondUntil, locale.Data{"Span": locale.Span(p.ExpiresAt.Sub(now))}),
		}
		switch p.Kind {
		case twoperson.StartRollout:
			row.What = rolloutProposal(p.Kind, p.Payload)
		case twoperson.RollBackWave:
			row.What = rolloutProposal(p.Kind, p.Payload)
		case twoperson.EndStaff:
			who, err := user.ByID(r.Context(), s.DB, id.User(p.Subject))
			if err != nil {
				return nil, err
			}
			row.What, row.Barred = locale.Say(locale.ConsoleEndWho, locale.Data{"Who": who.Name()}), who.ID == by.User.ID
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Delivery answers "GET /staff/delivery": the last hour, or with "span" day the last day.
func (s *Staff) Delivery() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page, span := DeliveryPage{Hour: true}, console.Hour
		if web.ReadQuery(r).Get("span") == "day" {
			page.Hour, span = false, console.Day
		}
		all, err := s.Console.Delivery(r.Context(), by, span)
		if err != nil {
			return err
		}
		for _, c := range all {
			page.Rows = append(page.Rows, carrierRow(c))
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func carrierRow(c console.Carried) CarrierRow {
	row := CarrierRow{
		Channel: locale.Say(locale.ConsoleWayEmail), Carrier: c.Carrier, Sent: c.Sent, Delivered: c.Delivered, Failed: c.Failed,
		Waiting: c.Waiting, Codes: c.Codes, Within1: c.Within1, Within3: c.Within3, Within10: c.Within10, Parts: c.Parts,
		Share1: share(c.Within1, c.Codes), Share3: share(c.Within3, c.Codes), Share10: share(c.Within10, c.Codes),
		IsSMS: c.Channel == message.SMS,
	}
	if row.IsSMS {
		row.Channel = locale.Say(locale.ConsoleWaySms)
	}
	if row.Carrier == "" {
		row.Carrier = locale.Say(locale.ConsoleNoCarrier)
	}
	row.Chart = locale.Say(locale.ConsoleChart, locale.Data{
		"Carrier": row.Carrier, "One": strconv.Itoa(row.Share1), "Three": strconv.Itoa(row.Share3), "Ten": strconv.Itoa(row.Share10),
	})
	return row
}

// share is a part of a whole in percent.
func share(part, whole int) int {
	if whole == 0 {
		return 0
	}
	return min(100, (part*100+whole/2)/whole)
}

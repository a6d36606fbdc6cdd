package staff

import (
	"net/http"
	"net/url"
	"strconv"

	"keyturn/internal/authority"
	"keyturn/internal/calendar"
	"keyturn/internal/locale"
	"keyturn/internal/rollout"
	"keyturn/internal/twoperson"
	"keyturn/internal/web"
)

// Board answers "GET /staff/rollout". The query may bring back what was typed before a
// proof, and say what was done.
func (s *Staff) Board() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page, err := s.board(r, by)
		if err != nil {
			return err
		}
		query := web.ReadQuery(r)
		page.Done = didWords(query.Get("did"))
		page.typed(query)
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// typed brings back what was typed about a wave.
func (p *RolloutPage) typed(fields web.Fields) {
	for i := range p.Waves {
		if w := &p.Waves[i]; fields.Get("wave") == strconv.Itoa(w.Number) {
			w.Typed, w.Move, w.Reason = true, fields.Get("day"), fields.Get("reason")
		}
	}
}

// didWords says what was done; empty for nothing.
func didWords(what string) string {
	switch what {
	case "saved":
		return locale.Say(locale.RolloutDidSaved)
	case "proposed":
		return locale.Say(locale.ConsoleProposed)
	case "pause":
		return locale.Say(locale.RolloutDidPaused)
	case "resume":
		return locale.Say(locale.RolloutDidResumed)
	case "move":
		return locale.Say(locale.RolloutDidMoved)
	case "end":
		return locale.Say(locale.RolloutDidEnded)
	case "discard":
		return locale.Say(locale.RolloutDidDiscarded)
	case "extend":
		return locale.Say(locale.RolloutDidExtended)
	case "close":
		return locale.Say(locale.RolloutDidClosed)
	}
	return ""
}

// ActOnRollout answers "POST /staff/rollout": "do" is what.
func (s *Staff) ActOnRollout() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		did, refused, err := s.actOnRollout(r, by, form)
		if err != nil {
			return err
		}
		if refused == "" {
			return web.Go(w, r, "/staff/rollout?did="+did)
		}
		page, err := s.board(r, by)
		if err != nil {
			return err
		}
		page.typed(form)
		page.Fault = dayFault(refused, locale.RolloutFaultMove, form.Get("do") == "move")
		if refused == rollout.NotFresh {
			back := url.Values{"wave": {form.Get("wave")}, "day": {form.Get("day")}, "reason": {form.Get("reason")}}
			page.Prove = proveAt("/staff/rollout?" + back.Encode())
		}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

// actOnRollout does what a form asks.
func (s *Staff) actOnRollout(r *http.Request, by authority.Bearer, form web.Fields) (did string, refused rollout.Refused, err error) {
	ctx, who := r.Context(), rollout.By{Staff: by}
	did = form.Get("do")
	wave, err := strconv.Atoi(form.Get("wave"))
	if err != nil {
		wave = 0 // none
	}
	switch did {
	case "start":
		refused, err = s.proposeStart(r, by)
		did = "proposed"
	case "back":
		refused, err = s.proposeBack(r, by, wave, form.Get("reason"))
		did = "proposed"
	case "discard":
		refused, err = s.Rollout.Discard(ctx, who)
	case "pause":
		refused, err = s.Rollout.Pause(ctx, who)
	case "resume":
		refused, err = s.Rollout.Resume(ctx, who)
	case "end":
		refused, err = s.Rollout.End(ctx, who)
	case "move":
		to, wrong := calendar.Parse(form.Get("day"))
		if wrong != nil {
			return did, rollout.WrongDay, nil //nolint:nilerr // it says what was typed wrongly
		}
		refused, err = s.Rollout.Move(ctx, who, wave, to)
	default:
		refused = rollout.WrongState
	}
	return did, refused, err
}

func (s *Staff) proposeStart(r *http.Request, by authority.Bearer) (rollout.Refused, error) {
	now, there, err := rollout.Live(r.Context(), s.DB)
	if err != nil || !there {
		return rollout.WrongState, err
	}
	_, refused, err := s.Second.Propose(r.Context(), by, twoperson.Proposal{
		Kind: twoperson.StartRollout, Subject: string(now.ID), Payload: map[string]string{"name": now.Name, "plan": now.Digest()},
	})
	return secondRefused(refused, rollout.WrongDay), err
}

func (s *Staff) proposeBack(r *http.Request, by authority.Bearer, wave int, reason string) (rollout.Refused, error) {
	now, there, err := rollout.Live(r.Context(), s.DB)
	if err != nil || !there {
		return rollout.WrongState, err
	}
	which, ok := now.Wave(wave)
	if !ok {
		return rollout.WrongState, nil
	}
	if !rollout.Reasonable(reason) {
		return rollout.NoReason, nil
	}
	_, refused, err := s.Second.Propose(r.Context(), by, twoperson.Proposal{
		Kind: twoperson.RollBackWave, Subject: string(now.ID),
		Payload: map[string]string{"wave": strconv.Itoa(wave), "name": which.Name, "reason": reason},
	})
	return secondRefused(refused, rollout.TooLate), err
}

// secondRefused is why a proposal was not made.
func secondRefused(refused twoperson.Refused, unfit rollout.Refused) rollout.Refused {
	switch refused {
	case "":
		return ""
	case twoperson.NotFresh:
		return rollout.NotFresh
	case twoperson.Unfit:
		return unfit
	case twoperson.Already:
		return rollout.Proposed
	case twoperson.SamePerson, twoperson.Over:
	}
	return rollout.WrongState
}

// dayFault is rolloutFault where one day was typed.
func dayFault(refused rollout.Refused, key locale.Key, typed bool) string {
	if refused == rollout.WrongDay && typed {
		return locale.Say(key)
	}
	return rolloutFault(refused)
}

// rolloutFault says why something was not done.
func rolloutFault(refused rollout.Refused) string {
	return locale.Say(map[rollout.Refused]locale.Key{
		rollout.NotFresh: locale.ConsoleProveFirst, rollout.Busy: locale.RolloutFaultBusy, rollout.WrongState: locale.RolloutFaultState,
		rollout.NoName: locale.RolloutFaultName, rollout.NoOwner: locale.RolloutFaultOwner, rollout.NoWaves: locale.RolloutFaultWaves,
		rollout.WrongPick: locale.RolloutFaultPick, rollout.NoSuchSite: locale.RolloutFaultList, rollout.WrongDay: locale.RolloutFaultDay, rollout.WrongTolerance: locale.RolloutFaultTolerance, rollout.BadDay: locale.RolloutFaultFriday,
		rollout.NoReason: locale.RolloutFaultReason, rollout.TooLong: locale.RolloutFaultLong, rollout.TooLate: locale.RolloutFaultLate,
		rollout.Unfinished: locale.RolloutFaultOpen, rollout.GoingBack: locale.RolloutFaultBack, rollout.Proposed: locale.ConsoleSecondAlready,
	}[refused])
}

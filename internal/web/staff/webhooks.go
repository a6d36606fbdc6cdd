package staff

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/secret"
	"keyturn/internal/web"
	"keyturn/internal/webhook"
)

const webhooksAt = "/staff/webhooks"

// Webhooks answers "GET /staff/webhooks". The query may bring back what was typed before a
// proof.
func (s *Staff) Webhooks() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page, err := s.webhooksPage(r, by, web.ReadQuery(r))
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) webhooksPage(r *http.Request, by authority.Bearer, typed web.Fields) (WebhooksPage, error) {
	all, err := s.Hooks.ListFor(r.Context(), by)
	if err != nil {
		return WebhooksPage{}, err
	}
	page := WebhooksPage{Form: webhookForm(typed)}
	for _, e := range all {
		page.Rows = append(page.Rows, s.webhookRow(e))
	}
	return page, nil
}

// AddWebhook answers "POST /staff/webhooks": it makes one, and shows its secret.
func (s *Staff) AddWebhook() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		e, key, wrong, refused, err := s.Hooks.AddFor(r.Context(), by, webhookOrder(form), refs(form.Get("sites")))
		if err != nil {
			return err
		}
		if wrong == "" && refused == "" {
			return s.showSecret(w, r, e.ID, e.Name, key, false)
		}
		page, err := s.webhooksPage(r, by, form)
		if err != nil {
			return err
		}
		page.Form.Fault = webhookWrong(wrong)
		switch refused {
		case webhook.NotFresh:
			page.Form.Fault, page.Form.Prove = locale.Say(locale.WebhooksRefusedFresh), proveAt(webhooksAt+"?"+page.Form.query())
		case webhook.NotGiven:
			page.Form.Fault = locale.Say(locale.WebhooksRefusedGiven)
		case webhook.Over:
			page.Form.Fault = locale.Say(locale.WebhooksRefusedOver)
		}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

// showSecret shows a secret, this once.
func (s *Staff) showSecret(w http.ResponseWriter, r *http.Request, which id.Webhook, name string, key secret.Text, overlap bool) error {
	w.Header().Set("Cache-Control", "no-store")
	return s.Kit.Show(w, r, http.StatusOK, WebhookSecretPage{
		Path: webhooksAt + "/" + string(which), Name: name, Secret: key.Reveal(), Overlap: overlap,
	})
}

// Webhook answers "GET /staff/webhooks/{webhook}".
func (s *Staff) Webhook() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		which, err := id.Parse[id.Webhook](r.PathValue("webhook"))
		if err != nil {
			return err
		}
		page, err := s.webhookPage(r, by, which)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// ActOnWebhook answers "POST /staff/webhooks/{webhook}": "do" says what.
func (s *Staff) ActOnWebhook() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		which, err := id.Parse[id.Webhook](r.PathValue("webhook"))
		if err != nil {
			return err
		}
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		if form.Get("do") == "rotate" {
			key, refused, err := s.Hooks.RotateFor(r.Context(), by, which)
			if err != nil {
				return err
			}
			if refused == "" {
				e, err := webhook.ByID(r.Context(), s.DB, which)
				if err != nil {
					return err
				}
				return s.showSecret(w, r, which, e.Name, key, true)
			}
			return s.answerWebhook(w, r, by, which, form, acted{refused: refused})
		}
		did, err := s.actOnWebhook(r, by, which, form)
		if err != nil {
			return err
		}
		if form.Get("do") == "end" && did.refused == "" {
			return web.Go(w, r, webhooksAt)
		}
		return s.answerWebhook(w, r, by, which, form, did)
	})
}

// acted is what came of an act.
type acted struct {
	done    string
	wrong   webhook.Wrong
	refused webhook.Refused
}

func (s *Staff) actOnWebhook(r *http.Request, by authority.Bearer, which id.Webhook, form web.Fields) (did acted, err error) {
	ctx := r.Context()
	switch form.Get("do") {
	case "change":
		did.done = locale.Say(locale.WebhooksSaved)
		did.wrong, did.refused, err = s.Hooks.ChangeFor(ctx, by, which, webhookOrder(form))
	case "on":
		did.done = locale.Say(locale.WebhooksIsOn)
		did.refused, err = s.Hooks.SwitchFor(ctx, by, which, true)
	case "off":
		did.done = locale.Say(locale.WebhooksIsOff)
		did.refused, err = s.Hooks.SwitchFor(ctx, by, which, false)
	case "try":
		did.done = locale.Say(locale.WebhooksTried)
		did.refused, err = s.Hooks.TryFor(ctx, by, which)
	case "end":
		did.refused, err = s.Hooks.EndFor(ctx, by, which)
	case "again":
		one, bad := id.Parse[id.Delivery](form.Get("delivery"))
		if bad != nil {
			return did, bad
		}
		did.done = locale.Say(locale.WebhooksAgain)
		_, did.refused, err = s.Hooks.ReplayFor(ctx, by, which, one, 0)
	case "replay":
		hours, bad := strconv.Atoi(form.Get("hours"))
		if bad != nil || hours < 1 || hours > 30*24 {
			hours = 1
		}
		var n int
		n, did.refused, err = s.Hooks.ReplayFor(ctx, by, which, "", time.Duration(hours)*time.Hour)
		did.done = locale.Say(locale.WebhooksReplayed, locale.Data{"Count": n})
	default:
		did.refused = webhook.Over
	}
	return did, err
}

// answerWebhook shows the endpoint after an act, with what was typed where it was refused.
func (s *Staff) answerWebhook(w http.ResponseWriter, r *http.Request, by authority.Bearer, which id.Webhook, form web.Fields, did acted) error {
	page, err := s.webhookPage(r, by, which)
	if err != nil {
		return err
	}
	if did.wrong == "" && did.refused == "" {
		page.Done = did.done
		return s.Kit.Show(w, r, http.StatusOK, page)
	}
	if form.Get("do") == "change" {
		page.Form = webhookForm(form)
	}
	switch {
	case did.wrong != "":
		page.Form.Fault = webhookWrong(did.wrong)
	case did.refused == webhook.NotFresh:
		page.Fault, page.Prove = locale.Say(locale.WebhooksRefusedFresh), proveAt(page.Row.Path)
	case did.refused == webhook.NotGiven:
		page.Fault = locale.Say(locale.WebhooksRefusedSites)
	default:
		page.Fault = locale.Say(locale.WebhooksRefusedOver)
	}
	return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
}

func (s *Staff) webhookPage(r *http.Request, by authority.Bearer, which id.Webhook) (page WebhookPage, err error) {
	query := web.ReadQuery(r)
	state := webhook.State(query.Get("state"))
	before := id.Delivery("")
	if given := query.Get("before"); given != "" {
		if before, err = id.Parse[id.Delivery](given); err != nil {
			return page, err
		}
	}
	v, err := s.Hooks.ViewFor(r.Context(), by, which, state, before)
	if err != nil {
		return page, err
	}
	page = WebhookPage{Row: s.webhookRow(v.Endpoint), Form: webhookFormOf(v.Endpoint), On: v.On()}
	page.Row.Sites = sitesWords(v)
	if !v.BeforeUntil.IsZero() && v.BeforeUntil.After(s.DB.Clock.Now()) {
		page.Before = locale.Say(locale.WebhooksBefore, locale.Data{"At": s.moment(v.BeforeUntil)})
	}
	for _, one := range append([]webhook.State{""}, webhook.States()...) {
		words := deliveryWords(one)
		if one != "" {
			words += " (" + strconv.Itoa(v.Counts[one]) + ")"
		}
		page.States = append(page.States, WebhookState{Words: words, Path: page.Row.Path + "?state=" + string(one), On: one == state})
	}
	for _, one := range v.Log {
		page.Log = append(page.Log, s.deliveryRow(one))
	}
	if v.Older {
		page.Older = page.Row.Path + "?" + url.Values{"state": {string(state)}, "before": {string(v.Log[len(v.Log)-1].ID)}}.Encode()
	}
	return page, nil
}

func (s *Staff) moment(at time.Time) string { return locale.Moment(at, time.UTC, s.DB.Clock.Now()) }

func (s *Staff) webhookRow(e webhook.Endpoint) WebhookRow {
	row := WebhookRow{
		Path: webhooksAt + "/" + string(e.ID), Name: e.Name, URL: e.URL, Look: "ready", State: locale.Say(locale.WebhooksStateOn),
		Types: locale.Say(locale.WebhooksTypesAll),
	}
	if e.All {
		row.Sites = locale.Say(locale.WebhooksSitesAll)
	}
	if len(e.Types) > 0 {
		var words []string
		for _, t := range e.Types {
			words = append(words, string(t))
		}
		row.Types = strings.Join(words, ", ")
	}
	switch {
	case !e.OffAt.IsZero():
		row.Look, row.State = "help", locale.Say(locale.WebhooksStateOff)
		row.Why = locale.Say(map[webhook.Why]locale.Key{
			webhook.IsGone: locale.WebhooksOffGone, webhook.IsFailing: locale.WebhooksOffFailing, webhook.ByStaff: locale.WebhooksOffStaff,
		}[e.OffWhy], locale.Data{"At": s.moment(e.OffAt)})
	case !e.FailingSince.IsZero():
		row.Look, row.State = "manage", locale.Say(locale.WebhooksStateFailing)
		row.Why = locale.Say(locale.WebhooksFailingSince, locale.Data{"At": s.moment(e.FailingSince)})
	}
	return row
}

func sitesWords(v webhook.View) string {
	if v.All {
		return locale.Say(locale.WebhooksSitesAll)
	}
	words := strings.Join(v.Refs, ", ")
	if v.Others > 0 {
		words = strings.TrimSpace(words + " " + locale.Say(locale.WebhooksSitesOthers, locale.Data{"Count": v.Others}))
	}
	return words
}

func (s *Staff) deliveryRow(one webhook.Delivery) DeliveryRow {
	row := DeliveryRow{
		ID: string(one.ID), Event: string(one.Event), At: s.moment(one.MadeAt), Type: string(one.Type), State: deliveryWords(one.State),
		Attempts: one.Attempts, CanSend: one.State != webhook.Sending,
	}
	switch one.State {
	case webhook.Done:
		row.Look = "ready"
	case webhook.Failed, webhook.Held:
		row.Look = "help"
	case webhook.Waiting, webhook.Sending:
		row.Look = "manage"
		if one.State == webhook.Waiting && one.Attempts > 0 {
			row.Next = locale.Say(locale.WebhooksLogNext, locale.Data{"At": s.moment(one.DueAt)})
		}
	}
	if !one.TriedAt.IsZero() {
		row.Took = locale.Say(locale.WebhooksMilliseconds, locale.Data{"Count": strconv.FormatInt(one.Took.Milliseconds(), 10)})
		row.Answer = answerWords(one)
	}
	return row
}

func answerWords(one webhook.Delivery) string {
	status := locale.Data{"Status": strconv.Itoa(one.Status)}
	switch one.Why {
	case "timeout":
		return locale.Say(locale.WebhooksWhyTimeout)
	case "address":
		return locale.Say(locale.WebhooksWhyAddress)
	case "tls":
		return locale.Say(locale.WebhooksWhyTls)
	case "connect":
		return locale.Say(locale.WebhooksWhyConnect)
	case "redirect":
		return locale.Say(locale.WebhooksWhyRedirect, status)
	}
	return locale.Say(locale.WebhooksWhyStatus, status)
}

func deliveryWords(state webhook.State) string {
	switch state {
	case webhook.Waiting:
		return locale.Say(locale.WebhooksLogWaiting)
	case webhook.Sending:
		return locale.Say(locale.WebhooksLogSending)
	case webhook.Done:
		return locale.Say(locale.WebhooksLogDone)
	case webhook.Failed:
		return locale.Say(locale.WebhooksLogFailed)
	case webhook.Held:
		return locale.Say(locale.WebhooksLogHeld)
	}
	return locale.Say(locale.WebhooksLogAll)
}

func webhookWrong(wrong webhook.Wrong) string {
	switch wrong {
	case webhook.WrongName:
		return locale.Say(locale.WebhooksWrongName)
	case webhook.TakenName:
		return locale.Say(locale.WebhooksWrongTaken)
	case webhook.WrongURL:
		return locale.Say(locale.WebhooksWrongUrl)
	case webhook.WrongTypes:
		return locale.Say(locale.WebhooksWrongTypes)
	case webhook.WrongSites:
		return locale.Say(locale.WebhooksWrongSites)
	case webhook.TooMany:
		return locale.Say(locale.WebhooksWrongMany)
	}
	return ""
}

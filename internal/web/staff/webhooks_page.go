package staff

import (
	"net/url"
	"slices"
	"strings"

	"keyturn/internal/locale"
	"keyturn/internal/web"
	"keyturn/internal/webhook"
)

// typePrefix begins the names of the tick boxes of types.
const typePrefix = "type-"

// WebhookForm is what an endpoint is to be.
type WebhookForm struct {
	Name, URL, Sites, Fault string
	// Prove is where a proof is given that is missing.
	Prove string
	Types []WebhookType
}

// WebhookType is one tick box.
type WebhookType struct {
	Name, Type, Words string
	On                bool
}

// webhookForm is what was typed.
func webhookForm(typed web.Fields) WebhookForm {
	form := WebhookForm{Name: typed.Get("name"), URL: typed.Get("url"), Sites: typed.Get("sites")}
	for _, t := range webhook.Types() {
		name := typePrefix + string(t)
		form.Types = append(form.Types, WebhookType{Name: name, Type: string(t), Words: typeWords(t), On: typed.Ticked(name)})
	}
	return form
}

// formOf is what an endpoint is.
func webhookFormOf(e webhook.Endpoint) WebhookForm {
	form := webhookForm(web.Fields{"name": e.Name, "url": e.URL})
	for i, t := range form.Types {
		form.Types[i].On = slices.Contains(e.Types, webhook.Type(t.Type))
	}
	return form
}

// query carries it through a proof.
func (f WebhookForm) query() string {
	values := url.Values{"name": {f.Name}, "url": {f.URL}, "sites": {f.Sites}}
	for _, t := range f.Types {
		if t.On {
			values.Set(t.Name, "yes")
		}
	}
	return values.Encode()
}

func webhookOrder(form web.Fields) webhook.Order {
	o := webhook.Order{Name: strings.TrimSpace(form.Get("name")), URL: strings.TrimSpace(form.Get("url"))}
	for name := range form {
		if is, ok := strings.CutPrefix(name, typePrefix); ok {
			o.Types = append(o.Types, webhook.Type(is))
		}
	}
	return o
}

// refs are the references that were typed.
func refs(typed string) []string {
	return strings.FieldsFunc(typed, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\n' || r == '\r' || r == '\t' })
}

func typeWords(t webhook.Type) string {
	key, known := map[webhook.Type]locale.Key{
		webhook.UserChanged: locale.WebhooksTypeUser, webhook.MethodAdded: locale.WebhooksTypeMethodAdded,
		webhook.MethodRemoved: locale.WebhooksTypeMethodRemoved, webhook.SiteRequired: locale.WebhooksTypeRequired,
		webhook.SiteConnected: locale.WebhooksTypeConnected, webhook.SiteDisconnected: locale.WebhooksTypeDisconnected,
		webhook.HelpCodeGiven: locale.WebhooksTypeHelp, webhook.SignInRefused: locale.WebhooksTypeRefused,
		webhook.SMSLow: locale.WebhooksTypeSms, webhook.RolloutStarted: locale.WebhooksTypeStarted,
		webhook.RolloutPaused: locale.WebhooksTypePaused, webhook.RolloutResumed: locale.WebhooksTypeResumed,
		webhook.RolloutEnded: locale.WebhooksTypeEnded, webhook.RolloutWaveMoved: locale.WebhooksTypeMoved,
		webhook.RolloutRolledBack: locale.WebhooksTypeBack, webhook.Test: locale.WebhooksTypeTest,
	}[t]
	if !known {
		return string(t)
	}
	return locale.Say(key)
}

// WebhooksPage lists the endpoints, and makes one.
type WebhooksPage struct {
	Rows []WebhookRow
	Form WebhookForm
}

// Head implements web.Page.
func (p WebhooksPage) Head() web.Head {
	return web.Head{Template: "staff/webhooks", Title: locale.Say(locale.WebhooksTitle), Problem: p.Form.Fault, Layout: web.Broad}
}

// WebhookRow is one endpoint.
type WebhookRow struct {
	Path, Name, URL, Sites, Types string
	// Look is ready, manage or help; State its word, and Why the sentence, if there is one.
	Look, State, Why string
}

// WebhookSecretPage shows a secret, once.
type WebhookSecretPage struct {
	Path, Name, Secret string
	// Overlap says that the one before signs too for a day.
	Overlap bool
}

// Head implements web.Page.
func (p WebhookSecretPage) Head() web.Head {
	return web.Head{Template: "staff/webhooksecret", Title: locale.Say(locale.WebhooksSecretTitle, locale.Data{"Name": p.Name}), Layout: web.Broad}
}

// WebhookPage is one endpoint, with its log.
type WebhookPage struct {
	Row  WebhookRow
	Form WebhookForm
	On   bool
	// Before says until when the secret before signs too.
	Before             string
	Done, Fault, Prove string
	States             []WebhookState
	Log                []DeliveryRow
	Older              string
}

// Head implements web.Page.
func (p WebhookPage) Head() web.Head {
	problem := p.Fault
	if problem == "" {
		problem = p.Form.Fault
	}
	return web.Head{Template: "staff/webhook", Title: p.Row.Name, Problem: problem, Layout: web.Broad}
}

// WebhookState is one choice of which requests are shown.
type WebhookState struct {
	Words, Path string
	On          bool
}

// DeliveryRow is one request of the log.
type DeliveryRow struct {
	ID, Event, At, Type, Look, State, Next, Answer, Took string
	Attempts                                             int
	CanSend                                              bool
}

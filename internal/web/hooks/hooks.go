// Package hooks is where programs tell us what became of a message: providers of SMS
// with their receipts, and whoever knows of bounced mail or sees a canary arrive.
//
// Nobody is signed in here, and no page of ours asks: what comes in is authenticated by
// its signature or by the secret in its address, before anything is looked up. A call
// that is not, one for what is not set up, and one for what does not exist get the same
// answer, and no answer says more than its status. Calls may come twice, late and in any
// order; that is for the message package to bear. Browsers have no business here: what
// another site has one send is refused by the kit, as everywhere.
package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"keyturn/internal/db"
	"keyturn/internal/delivery"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/mail"
	"keyturn/internal/message"
	"keyturn/internal/secret"
	"keyturn/internal/web"
)

// receiptMost bounds a receipt for an SMS, in bytes: a few fields.
const receiptMost = 64 << 10

// Post takes the news; it is a *message.Post. What it does not know, or not any more, is
// fault.NotFound.
type Post interface {
	Moved(ctx context.Context, news message.News) error
	Bounced(ctx context.Context, b message.Bounce) error
}

// Receipts reads the receipts of SMS providers; it is a *sms.Carrier. A receipt that is
// not authenticated is fault.NotFound, one that cannot be read fault.Invalid.
type Receipts interface {
	Receipt(r *http.Request, provider, rest string, body []byte) ([]message.News, error)
}

// Hooks serves what programs tell us.
type Hooks struct {
	Kit *web.Kit
	DB  *db.DB
	// Post takes the news.
	Post Post
	// MailKey signs what is told of mail. Empty: nothing is told.
	MailKey secret.Text
	// Texts reads the receipts of SMS; nil: none are read.
	Texts Receipts
}

// Mail answers "POST /hooks/mail": see mail.ReadHook for what comes in. 204 when it is
// done, and when it is about a letter that we do not know; 404 when it is not signed, 413
// when it is too large, 400 when it cannot be read.
//
// A bounce goes to Post; a canary that arrived is measured. What was delivered to a
// server, or called spam, is understood and changes nothing: the one does not say when
// the mailbox had it, and the other is for whoever looks after the sender's reputation.
func (h *Hooks) Mail() http.Handler {
	return h.handle(mail.MaxReport, func(r *http.Request, body []byte) error {
		told, err := mail.ReadHook(r.Header, body, h.MailKey, h.DB.Clock.Now())
		if err != nil {
			return err
		}
		for _, one := range told {
			if err := h.mail(r.Context(), one); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *Hooks) mail(ctx context.Context, told mail.Told) error {
	switch told.Event {
	case mail.Bounced:
		return known(h.Post.Bounced(ctx, told.Bounce))
	case mail.Arrived:
		err := h.DB.Do(ctx, func(tx *db.Tx) error {
			_, err := delivery.Seen(ctx, tx, id.Canary(told.Bounce.Key))
			return err
		})
		if err != nil {
			return fmt.Errorf("note a canary: %w", err)
		}
		return nil
	case mail.Complained, mail.Delivered:
		return nil
	}
	return fmt.Errorf("a hook tells of %q: %w", told.Event, fault.Invalid)
}

// SMS answers "POST /hooks/sms/{provider}" and "POST /hooks/sms/{provider}/{rest...}",
// with the same answers as Mail.
func (h *Hooks) SMS() http.Handler {
	return h.handle(receiptMost, func(r *http.Request, body []byte) error {
		if h.Texts == nil {
			return fmt.Errorf("a receipt for SMS, which are not set up: %w", fault.NotFound)
		}
		news, err := h.Texts.Receipt(r, r.PathValue("provider"), r.PathValue("rest"), body)
		if err != nil {
			return err
		}
		for _, one := range news {
			if err := known(h.Post.Moved(r.Context(), one)); err != nil {
				return err
			}
		}
		return nil
	})
}

// known leaves out news of a message that we do not know: it was removed after its time,
// and a sender that is refused would tell it again and again.
func known(err error) error {
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// handle reads the whole body before anything is decided, so that the answer to one that
// is too large tells nothing of what is set up.
func (h *Hooks) handle(most int64, tell func(r *http.Request, body []byte) error) http.Handler {
	return h.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		// Programs ask here, whatever they accept: they get problem JSON (RFC 9457).
		r.Header.Set("Accept", "application/problem+json")
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a hook: %w: %w", fault.Invalid, err)
		}
		if err := tell(r, body); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

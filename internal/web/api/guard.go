package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"keyturn/internal/apikey"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/limit"
	"keyturn/internal/oidc"
	"keyturn/internal/web"
)

// guard lets a caller through who has a key with the scope, and budget left.
func (a *API) guard(c huma.Context, scope apikey.Scope, next func(huma.Context)) {
	r, w := humago.Unwrap(c)
	k, err := a.key(r)
	switch {
	case errors.Is(err, fault.NotFound):
		// RFC 6750, section 3.1: what is wrong is said only of a key that was sent.
		challenge := `Bearer realm="keyturn"`
		if r.Header.Get("Authorization") != "" {
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
		problem(http.StatusUnauthorized, "This call needs a key that works, as in: Authorization: Bearer "+apikey.Prefix+"…").write(w, r)
		return
	case err == nil && !k.May(scope):
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="keyturn", error="insufficient_scope", scope=%q`, scope))
		problem(http.StatusForbidden, "This key does not have the scope that the operation needs.").write(w, r)
		return
	case err == nil:
		err = a.budget(w.Header(), r, k)
	}
	if err != nil {
		failed(r.Context(), err).send(w, r)
		return
	}
	next(huma.WithValue(c, keyKey{}, k))
}

// budget charges a call to the budget of its key, and says in the header what it is and what
// is left of it (draft-ietf-httpapi-ratelimit-headers: q calls in w seconds; r are left, and
// in t seconds there are more).
func (a *API) budget(h http.Header, r *http.Request, k apikey.Key) error {
	b := limit.APICalls
	left, err := a.count(r.Context(), k, limit.Charge{Budget: b, Subject: string(k.ID)})
	if _, none := errors.AsType[spent](err); err == nil || none {
		h.Set("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=%d`, b.Cap, int(b.Window/time.Second)))
		h.Set("RateLimit", fmt.Sprintf(`"key";r=%d;t=%s`, left.calls, web.Seconds(left.more)))
	}
	return err
}

// rest is what is left of a budget, and how soon there is more.
type rest struct {
	calls int
	more  time.Duration
}

// key finds the caller's key; fault.NotFound where there is none.
func (a *API) key(r *http.Request) (apikey.Key, error) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") || len(r.Header.Values("Authorization")) != 1 {
		return apikey.Key{}, fmt.Errorf("a call without a key: %w", fault.NotFound)
	}
	if strings.HasPrefix(token, oidc.ServicePrefix) {
		return a.service(r.Context(), token)
	}
	k, err := apikey.ByToken(r.Context(), a.DB, token)
	if err != nil {
		return k, fmt.Errorf("find a key: %w", err)
	}
	return k, nil
}

// errSpent is a budget that is used up.
var errSpent = errors.New("the key has no calls left for now")

// spent says when there is budget again.
type spent struct{ wait time.Duration }

// Error implements error.
func (spent) Error() string { return errSpent.Error() }

// count charges a key, and notes its use.
func (a *API) count(ctx context.Context, k apikey.Key, c limit.Charge) (rest, error) {
	var answer limit.Answer
	var now time.Time
	err := a.DB.Do(ctx, func(tx *db.Tx) (err error) {
		now = tx.Now
		if answer, err = limit.Take(ctx, tx, c); err != nil || !answer.OK {
			return err
		}
		return apikey.Used(ctx, tx, k)
	})
	if err != nil {
		return rest{}, fmt.Errorf("count a call: %w", err)
	}
	if !answer.OK {
		return rest{more: answer.Retry.Sub(now)}, spent{answer.Retry.Sub(now)}
	}
	return rest{answer.Left, answer.More.Sub(now)}, nil
}

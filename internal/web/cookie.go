package web

import (
	"net/http"
	"time"
)

// cookieName adds the prefix that makes browsers refuse a cookie set by a sister
// domain or without TLS (RFC 6265bis, 4.1.3.2). On plain http, which is loopback
// alone, browsers would refuse the prefix itself.
func (k *Kit) cookieName(name string) string {
	if k.secure() {
		return "__Host-" + name
	}
	return name
}

// PutCookie sets a cookie that scripts cannot read and other sites cannot use. The
// name is without prefix. A life of 0 ends it with the browser; shorter than a second
// is rounded up.
func (k *Kit) PutCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	c := k.cookie(name, value) //nolint:gosec // Secure follows the public URL
	if life > 0 {
		c.MaxAge = int((life + time.Second - 1) / time.Second)
	}
	http.SetCookie(w, c)
}

// DropCookie ends a cookie.
func (k *Kit) DropCookie(w http.ResponseWriter, name string) {
	c := k.cookie(name, "") //nolint:gosec // Secure follows the public URL
	c.MaxAge = -1
	http.SetCookie(w, c)
}

func (k *Kit) cookie(name, value string) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure follows the public URL: http is loopback alone
		Name:     k.cookieName(name),
		Value:    value,
		Path:     "/",
		Secure:   k.secure(),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// Cookie returns the value of a cookie, or "" if it is absent, or there twice: which
// of two is ours cannot be told, so neither counts.
func (k *Kit) Cookie(r *http.Request, name string) string {
	all := r.CookiesNamed(k.cookieName(name))
	if len(all) != 1 {
		return ""
	}
	return all[0].Value
}

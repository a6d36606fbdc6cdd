package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"keyturn/internal/secret"
)

// hidden stands for a secret in a listing.
const hidden = "[secret]"

// showSecret says that a secret is there.
func showSecret(t secret.Text) string {
	if t.Reveal() == "" {
		return ""
	}
	return hidden
}

// showDatabase shows a file's path, and of a server nothing: a password that is not
// well written can end up in any part of a URL.
func showDatabase(raw string) string {
	switch {
	case raw == "", strings.HasPrefix(raw, sqliteScheme):
		return raw
	}
	return "postgres://" + hidden
}

func showURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

func showSpan(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func showList[T fmt.Stringer](list []T) string {
	shown := make([]string, len(list))
	for i, one := range list {
		shown[i] = one.String()
	}
	return strings.Join(shown, ",")
}

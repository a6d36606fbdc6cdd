package xero

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keyturn/internal/secret"
)

// Connection is one organisation that a person lets us into. Xero calls an organisation a
// tenant; the word stays here.
type Connection struct {
	ID string
	// Organisation is Xero's id of the organisation, Name what its people call it.
	Organisation, Name string
	// Event is the time of letting in that made it: those of one asking share it.
	Event string
	// MadeAt and ChangedAt are Xero's. They may be zero.
	MadeAt, ChangedAt time.Time
}

// List is the connections of the person whose access token it was, or Dead.
type List struct {
	Answer Answer
	All    []Connection
}

const (
	// longestID bounds Xero's ids and longestName its names, in bytes and characters.
	longestID, longestName = 100, 200
)

// Connections reads the connections of one person with this app, organisations only.
func (c *Client) Connections(ctx context.Context, access secret.Text) (List, error) {
	const doing = "read connections at Xero"
	r, err := c.get(ctx, http.MethodGet, c.api+ConnectionsPath, access)
	if err != nil {
		return List{}, wrapped(doing, err)
	}
	switch r.status {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return List{Answer: Dead}, nil
	default:
		return List{}, wrapped(doing, c.trouble(r))
	}
	all, err := parse(r.body)
	if err != nil {
		return List{}, wrapped(doing, wait(r.header, c.app.Now(), errUnread))
	}
	return List{All: all}, nil
}

// parse reads a list of connections: all of it, or nothing. A list that is cut short would
// read as connections that were ended.
func parse(body []byte) ([]Connection, error) {
	var rows []struct {
		ID        string `json:"id"`
		Event     string `json:"authEventId"`
		Tenant    string `json:"tenantId"`
		Kind      string `json:"tenantType"`
		Name      string `json:"tenantName"`
		CreatedAt string `json:"createdDateUtc"`
		UpdatedAt string `json:"updatedDateUtc"`
	}
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, err
	}
	if rows == nil {
		return nil, errUnread
	}
	all := make([]Connection, 0, len(rows))
	for _, r := range rows {
		if r.ID == "" || r.Tenant == "" || len(r.ID) > longestID || len(r.Tenant) > longestID || len(r.Event) > longestID {
			return nil, errUnread
		}
		if r.Kind != "" && r.Kind != "ORGANISATION" {
			continue // an accountant's practice holds no workshop's books
		}
		one := Connection{ID: r.ID, Organisation: r.Tenant, Name: name(r.Name), Event: r.Event}
		one.MadeAt, one.ChangedAt = moment(r.CreatedAt), moment(r.UpdatedAt)
		all = append(all, one)
	}
	return all, nil
}

// name is an organisation's name as it can stand in a line of text.
func name(s string) string {
	clean := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return r == ' ' || r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}), " ")
	if runes := []rune(clean); len(runes) > longestName {
		return string(runes[:longestName])
	}
	return clean
}

// moment reads a time of Xero's, which carries no zone and is UTC: "2019-07-09T23:40:30.1833130".
// What is no time is the zero one: nothing rests on it.
func moment(s string) time.Time {
	for _, form := range []string{"2006-01-02T15:04:05.999999999", time.RFC3339Nano} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Disconnect ends a connection at Xero: Done, Gone if there was none any more, Dead if the
// access token is not taken.
func (c *Client) Disconnect(ctx context.Context, access secret.Text, connection string) (Answer, error) {
	r, err := c.get(ctx, http.MethodDelete, c.api+ConnectionsPath+"/"+url.PathEscape(connection), access)
	if err != nil {
		return Done, fmt.Errorf("end a connection at Xero: %w", err)
	}
	switch r.status {
	case http.StatusNoContent, http.StatusOK:
		return Done, nil
	case http.StatusNotFound:
		return Gone, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return Dead, nil
	}
	return Done, wrapped("end a connection at Xero", c.trouble(r))
}

package client

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"keyturn/internal/apikey"
	"keyturn/internal/db"
	"keyturn/internal/id"
)

const columns = `
	c.client_id, c.name, c.kind, c.secret_hash, c.former_hash, c.former_until, c.redirects, c.post_logouts,
	c.back_channel, c.audiences, c.scopes, c.all_sites, c.made_by, c.made_at, c.disabled_at, c.id_token_alg`

func scan(r db.Row) (c Client, err error) {
	var redirects, posts, audiences, scopes string
	if err = r.Scan(&c.ID, &c.Name, &c.Kind, &c.secret, &c.former, db.When(&c.FormerUntil), &redirects, &posts,
		&c.BackChannel, &audiences, &scopes, &c.All, &c.MadeBy, db.When(&c.MadeAt), db.When(&c.DisabledAt), &c.IDTokenAlg); err != nil {
		return c, err
	}
	for _, list := range []struct {
		text string
		into *[]string
	}{{redirects, &c.Redirects}, {posts, &c.PostLogouts}, {audiences, &c.Audiences}} {
		if err := json.Unmarshal([]byte(list.text), list.into); err != nil {
			return c, fmt.Errorf("the addresses of a client: %w", err)
		}
	}
	for word := range strings.FieldsSeq(scopes) {
		c.Scopes = append(c.Scopes, apikey.Scope(word))
	}
	return c, nil
}

// listed is a list as it is stored.
func listed(all []string) string {
	if len(all) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(all) // texts can always be written
	return string(text)
}

func insert(ctx context.Context, tx *db.Tx, c Client) error {
	words := make([]string, len(c.Scopes))
	for i, s := range c.Scopes {
		words[i] = string(s)
	}
	return tx.Change(ctx, `
		INSERT INTO clients (client_id, name, kind, secret_hash, redirects, post_logouts, back_channel,
		                     audiences, scopes, all_sites, made_by, made_at, id_token_alg)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		c.ID, c.Name, string(c.Kind), c.secret, listed(c.Redirects), listed(c.PostLogouts), c.BackChannel,
		listed(c.Audiences), strings.Join(words, " "), c.All, c.MadeBy, db.Stamp(c.MadeAt), c.IDTokenAlg)
}

func reach(ctx context.Context, tx *db.Tx, at id.Site, which id.Client) error {
	return tx.Change(ctx, `INSERT INTO client_sites (site_id, client_id) VALUES ($1, $2)`, at, which)
}

func stand(ctx context.Context, tx *db.Tx, which id.Client, origin string) error {
	return tx.Change(ctx, `INSERT INTO client_origins (origin, client_id) VALUES ($1, $2)`, origin, which)
}

func byID(ctx context.Context, from db.Reader, which id.Client) (Client, error) {
	return db.One(ctx, from, scan, `SELECT `+columns+` FROM clients c WHERE c.client_id = $1`, which)
}

func byOrigin(ctx context.Context, from db.Reader, origin string) (Client, error) {
	return db.One(ctx, from, scan, `
		SELECT `+columns+` FROM client_origins o JOIN clients c ON c.client_id = o.client_id
		 WHERE o.origin = $1 AND c.disabled_at IS NULL`, origin)
}

func byName(ctx context.Context, from db.Reader, which string) (Client, error) {
	c, err := db.One(ctx, from, scan, `
		SELECT `+columns+` FROM clients c
		 WHERE (c.client_id = $1 OR c.name = $1) AND c.disabled_at IS NULL ORDER BY c.client_id LIMIT 1`, which)
	if err != nil {
		return c, err
	}
	return whole(ctx, from, c)
}

func list(ctx context.Context, from db.Reader) ([]Client, error) {
	return db.Many(ctx, from, scan, `SELECT `+columns+` FROM clients c ORDER BY c.made_at, c.client_id`)
}

func originsOf(ctx context.Context, from db.Reader, which id.Client) ([]string, error) {
	return db.Many(ctx, from, func(r db.Row) (s string, err error) { return s, r.Scan(&s) },
		`SELECT origin FROM client_origins WHERE client_id = $1 ORDER BY origin`, which)
}

func reaches(ctx context.Context, from db.Reader, at id.Site, which id.Client) (int, error) {
	return db.One(ctx, from, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM client_sites WHERE site_id = $1 AND client_id = $2`, at, which)
}

func sitesOf(ctx context.Context, from db.Reader, which id.Client) ([]id.Site, error) {
	return db.Many(ctx, from, func(r db.Row) (s id.Site, err error) { return s, r.Scan(&s) },
		`SELECT site_id FROM client_sites WHERE client_id = $1 ORDER BY site_id`, which)
}

func disable(ctx context.Context, tx *db.Tx, which id.Client) error {
	if err := tx.Change(ctx, `
		UPDATE clients SET disabled_at = $2, secret_hash = NULL, former_hash = NULL, former_until = NULL
		 WHERE client_id = $1 AND disabled_at IS NULL`, which, db.Stamp(tx.Now)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM client_origins WHERE client_id = $1`, which)
	return err
}

func rotate(ctx context.Context, tx *db.Tx, c Client, before []byte) error {
	return tx.Change(ctx, `
		UPDATE clients SET secret_hash = $2, former_hash = $3, former_until = $4
		 WHERE client_id = $1 AND disabled_at IS NULL AND secret_hash = $5`,
		c.ID, c.secret, c.former, db.Stamp(c.FormerUntil), before)
}

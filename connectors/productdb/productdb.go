// Package productdb reads users, devices, logins and viewing from the product's own Postgres. The package pgread below
// it says how a day is read, and what is promised about rows that are committed late.
//
// Users and devices are tables that hold an entity as it stands, with the time of its last change; a day's extract has
// those that were changed on it and not since. Logins and viewing hold events.
package productdb

import (
	"context"
	"errors"
	"fmt"

	"crosslift/connectors"
	"crosslift/connectors/pgread"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// Config says where the product's database is, and what its tables are called. Without any of the four tables, all are
// read, as the sandbox has them.
type Config struct {
	URL    secret.Secret   `yaml:"url"`
	Region string          `yaml:"region"` // of phone numbers without a country's code: ISO 3166-1
	Read   pgread.Settings `yaml:",inline"`

	Users   *pgread.Table `yaml:"users"`
	Devices *pgread.Table `yaml:"devices"`
	Logins  *pgread.Table `yaml:"logins"`
	Viewing *pgread.Table `yaml:"viewing"`
}

// stream is one of the four, in the order in which they are offered.
type stream struct {
	name     string
	to       *table.Table
	given    func(*Config) **pgread.Table
	defaults pgread.Table
	sum      string
}

var streams = []stream{
	{
		name: "users", to: table.ProductUser, given: func(c *Config) **pgread.Table { return &c.Users },
		defaults: pgread.Table{Table: "users", Ignore: []string{"name", "tx"}, Columns: map[string]pgread.Column{
			"source_id":         {From: "id", Hash: true},
			"changed_at":        {From: "updated_at"},
			"account":           {From: "id"},
			"registered_at":     {From: "registered_at"},
			"email_hash":        {From: "email"},
			"email_folded_hash": {From: "email"},
			"email_verified":    {From: "email_verified"},
			"phone_hash":        {From: "phone"},
			"country":           {From: "country"},
			"marketing_consent": {From: "marketing_consent"},
			"analytics_consent": {From: "analytics_consent"},
			"deleted":           {From: "deleted"},
		}},
	},
	{
		name: "devices", to: table.ProductDevice, given: func(c *Config) **pgread.Table { return &c.Devices },
		defaults: pgread.Table{Table: "devices", Ignore: []string{"tx"}, Columns: map[string]pgread.Column{
			"source_id":     {From: "id", Hash: true},
			"changed_at":    {From: "updated_at"},
			"device":        {From: "id"},
			"type":          {From: "type"},
			"first_seen_at": {From: "first_seen_at"},
			"platform":      {From: "platform"},
			"model":         {From: "model"},
			"account":       {From: "registered_by"},
		}},
	},
	{
		name: "logins", to: table.ProductLogin, given: func(c *Config) **pgread.Table { return &c.Logins },
		defaults: pgread.Table{Table: "logins", Ignore: []string{"tx"}, Columns: map[string]pgread.Column{
			"source_id": {From: "id"},
			"event_at":  {From: "at"},
			"account":   {From: "user_id"},
			"device":    {From: "device_id"},
			"kind":      {From: "kind"},
			"session":   {From: "session", Hash: true}, // whoever has a session's id may be able to use it
		}},
	},
	{
		name: "viewing", to: table.Viewing, given: func(c *Config) **pgread.Table { return &c.Viewing }, sum: "seconds",
		defaults: pgread.Table{Table: "viewing_actions", Ignore: []string{"tx"}, Columns: map[string]pgread.Column{
			"source_id": {From: "id"},
			"viewed_at": {From: "started_at"},
			"account":   {From: "user_id"},
			"device":    {From: "device_id"},
			"title":     {From: "title"},
			"seconds":   {From: "seconds"},
		}},
	},
}

// Validate fills what is not given, and checks what is. Its errors are marked with their field.
func (c *Config) Validate() error {
	errs := []error{c.Read.Prepare()}
	if !c.URL.Given() {
		errs = append(errs, strictyaml.At("url", errors.New("required: postgres://user:password@host:port/database, as ${NAME} or file:path")))
	}
	if c.Region != "" && !identifier.KnownRegion(c.Region) {
		errs = append(errs, strictyaml.At("region", errors.New("expected the ISO 3166-1 code of a country, such as DE")))
	}
	if c.Users == nil && c.Devices == nil && c.Logins == nil && c.Viewing == nil {
		for _, s := range streams {
			*s.given(c) = &pgread.Table{}
		}
	}
	for _, s := range streams {
		if *s.given(c) != nil {
			errs = append(errs, strictyaml.At(s.name, c.spec(s).Validate()))
		}
	}
	return errors.Join(errs...)
}

// spec is what a stream reads.
func (c *Config) spec(s stream) pgread.Spec {
	from := (**s.given(c)).Over(s.defaults)
	if phone, ok := from.Columns["phone_hash"]; ok && phone.From != "" && phone.Region == "" {
		phone.Region = c.Region
		from.Columns["phone_hash"] = phone
	}
	return pgread.Spec{Name: "productdb/" + s.name, To: s.to, From: from, Sum: s.sum}
}

// source implements connectors.Source.
type source struct {
	db      *pgread.DB
	streams []*pgread.Stream
}

// New makes the source. It makes no connection yet.
func New(c Config, env connectors.Env) (connectors.Source, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("productdb: %w", err)
	}
	db, err := pgread.Open(c.URL, c.Read, env)
	if err != nil {
		return nil, fmt.Errorf("productdb: %w", err)
	}
	src := &source{db: db}
	for _, s := range streams {
		if *s.given(&c) == nil {
			continue
		}
		stream, err := db.New(c.spec(s))
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		src.streams = append(src.streams, stream)
	}
	return src, nil
}

func (s *source) Name() string { return "productdb" }

func (s *source) Streams() []connectors.Stream {
	var all []connectors.Stream
	for _, stream := range s.streams {
		all = append(all, stream)
	}
	return all
}

func (s *source) Check(ctx context.Context) []connectors.Finding { return s.db.Check(ctx, s.streams) }

func (s *source) Close() error { return s.db.Close() }

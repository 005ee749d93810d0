// Package sandbox is all sources as local servers over one generated population: a Stripe account, a HubSpot account, a
// GA4 export in BigQuery, a partner bank, and the tables of the product's own database. Each speaks its service's wire
// format, with its authentication, pages, limits and errors, so that the connectors meet here what they meet outside.
//
// The population and the truth about it are connectors/sandbox/world's; a folder beside this file serves one source each.
package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"crosslift/connectors/sandbox/appdb"
	"crosslift/connectors/sandbox/bankapi"
	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/faults"
	"crosslift/connectors/sandbox/hubspot"
	"crosslift/connectors/sandbox/stripe"
	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

// What the sandbox's systems call themselves, and the credentials that they take. They guard nothing: the servers
// listen on this machine only, and hold nothing but invented people.
const (
	bankClient    = "crosslift"
	stripeKey     = "rk_test_sandbox"
	hubspotToken  = "pat-eu1-sandbox"
	googleProject = "cinema-analytics"
	googleDataset = "analytics_290000001"
)

// Property is the zone of the GA4 property, which is not the business's: days are cut twice.
const Property = "Europe/Berlin"

// Options say what is served, and how.
type Options struct {
	World  *world.World
	Dir    string           // for the files of credentials; made when it is missing
	Now    func() time.Time // what has become visible by then is shown
	Wall   func() time.Time // the clock of those who read; nil: Now
	Faults faults.Options   // the zero value: none
	Port   int              // of the first server, the others follow; 0: any that are free
	Edited bool             // the world may have been edited: the product's database is filled anew by the first Load
}

// Server is the running sources. Its exported fields are what a project needs to know of them.
type Server struct {
	Stripe, HubSpot, BigQuery, Bank string // base URLs

	options Options
	servers []*http.Server
	running errgroup.Group
	mu      sync.Mutex // one Load at a time
}

// Builders put a population into the wire formats of all sources.
func Builders(zone *time.Location) ([]world.Builder, error) {
	property, err := time.LoadLocation(Property)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return []world.Builder{stripe.Builder(), hubspot.Builder(), bigquery.Builder(property), bankapi.Builder(zone), appdb.Builder()}, nil
}

// Start serves a world until Close.
func Start(o Options) (_ *Server, err error) {
	if o.Wall == nil {
		o.Wall = o.Now
	}
	s := &Server{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("sandbox: %w", err), s.Close())
		}
	}()
	about, err := o.World.About().Options()
	if err != nil {
		return nil, err
	}
	property, err := time.LoadLocation(Property)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if s.Stripe, err = s.serve(0, nil, "stripe", stripe.Handler(o.World, stripe.Options{Key: stripeKey, Now: o.Now})); err != nil {
		return nil, err
	}
	if s.HubSpot, err = s.serve(1, nil, "hubspot", hubspot.Handler(o.World, hubspot.Options{Token: hubspotToken, Now: o.Now, Wall: o.Wall})); err != nil {
		return nil, err
	}
	if err := s.serveBigQuery(property); err != nil {
		return nil, err
	}
	if err := s.serveBank(about.Zone); err != nil {
		return nil, err
	}
	for name, secret := range map[string]string{"stripe_key": stripeKey, "hubspot_token": hubspotToken} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), []byte(secret+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Server) serveBigQuery(property *time.Location) error {
	listener, err := s.listen(2)
	if err != nil {
		return err
	}
	s.BigQuery = "http://" + listener.Addr().String()
	key, err := bigquery.NewServiceAccount(googleProject, s.BigQuery+"/token")
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	account, err := bigquery.ReadAccount(key)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.options.Dir, "google.json"), key, 0o600)
	}
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.run(listener, "bigquery", bigquery.Handler(s.options.World, bigquery.Options{
		Project: googleProject, Dataset: googleDataset, Account: account, Zone: property, Delay: exportDelay, Now: s.options.Now, Wall: s.options.Wall,
	}))
	return nil
}

// exportDelay is when, after a day's end, its events are exported.
const exportDelay = 2 * time.Hour

func (s *Server) serveBank(zone *time.Location) error {
	authority, err := bankapi.NewAuthority()
	if err != nil {
		return err
	}
	config, err := authority.Server()
	if err != nil {
		return err
	}
	if err := authority.Write(s.options.Dir, bankClient); err != nil {
		return err
	}
	s.Bank, err = s.serve(3, config, "bank", bankapi.Handler(s.options.World, bankapi.Options{
		Client: bankClient, Zone: zone, Now: s.options.Now, TokenLife: time.Hour,
	}))
	return err
}

// listen takes the port of the n-th server.
func (s *Server) listen(n int) (net.Listener, error) {
	port := 0
	if s.options.Port > 0 {
		port = s.options.Port + n
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("%w: choose another --port", err)
	}
	return listener, nil
}

// serve starts the n-th server and gives its base URL.
func (s *Server) serve(n int, config *tls.Config, service string, h http.Handler) (string, error) {
	listener, err := s.listen(n)
	if err != nil {
		return "", err
	}
	scheme := "http"
	if config != nil {
		scheme, listener = "https", tls.NewListener(listener, config)
	}
	base := scheme + "://" + listener.Addr().String()
	s.run(listener, service, h)
	return base, nil
}

func (s *Server) run(listener net.Listener, service string, h http.Handler) {
	server := &http.Server{Handler: faults.Wrap(h, faultsOf(service, s.options.Faults)), ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	s.running.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// Reader is the role that may read the product's tables: Load makes it.
const Reader = "reader"

// Load brings the tables of the product's database, at a URL, to how the product has them now. It is the same database
// every time; until when it is loaded stands in a file beside the credentials.
func (s *Server) Load(ctx context.Context, url string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	mark := filepath.Join(s.options.Dir, "product_loaded")
	if s.options.Edited {
		if err := os.Remove(mark); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("sandbox: %w", err)
		}
		s.options.Edited = false
	}
	err := appdb.Play(ctx, url, s.options.World, mark, s.options.Now(), Reader)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// Night is the instant at which the nightly run of a business day looks at the sources: they have exported by then.
func Night(day table.Day, zone *time.Location) time.Time {
	return day.Window(zone).To.Add(6 * time.Hour)
}

// Close stops the servers.
func (s *Server) Close() error {
	var err error
	for _, server := range s.servers {
		err = errors.Join(err, server.Close())
	}
	return errors.Join(err, s.running.Wait())
}

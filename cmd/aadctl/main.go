// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Command aadctl administers aad-login on this machine. It sets it up, finds out what is wrong with
// it, tries a sign-in, checks and applies the configuration, and looks after the accounts and their
// store.
//
// Its rules: only results go to standard output. Errors go to standard error, as "aadctl: what:
// why", with a hint about the remedy on a line of its own. Colours and questions need a terminal,
// and only setup, check --tenant and account rebind ask questions. A command that fails has changed
// nothing. The exit status is one of the codes in failure.go, so that scripts need not read text.
//
// github.com/spf13/cobra parses the command line. What it adds (help, suggestions and completions
// from one source) is what people expect of a tool with nested commands.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
)

func main() {
	os.Exit(run(new(options), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(o *options, args []string, in io.Reader, out, errout io.Writer) int {
	checked := &checkedWriter{w: out}
	o.errout = errout
	cmd := root(o)
	cmd.SetArgs(args)
	cmd.SetIn(in)
	cmd.SetOut(checked)
	cmd.SetErr(errout)
	err := cmd.ExecuteContext(context.Background())
	if err == nil {
		err = checked.err
	}
	return complain(errout, err)
}

// options are the flags that several commands share.
type options struct {
	config string

	// These are no flags. Only tests set them.
	runtimeDir string           // account.DefaultRuntimeDir
	root       string           // "/"; for all files of the machine except configuration and store
	now        func() time.Time // time.Now
	storeDir   string           // account.DefaultDir; used if the configuration cannot be read

	errout io.Writer // for warnings
	warned bool      // that the configuration cannot be read
}

func root(o *options) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "aadctl",
		Short: "Administer aad-login: sign-in to this machine with Entra ID",
		Long: "Administer aad-login: sign-in to this machine with Entra ID.\n\n" +
			exitStatus,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}, checkCommand(o), reportCommand(o), metricsCommand(o), setupCommand(o), loginCommand(o),
		configCommand(o), accountCommand(o), storeCommand(o), versionCommand(),
		completionCommand())
	cmd.PersistentFlags().StringVar(&o.config, "config", config.DefaultPath,
		"read the configuration from `FILE`")
	cmd.SetHelpCommand(helpCommand())
	cmd.InitDefaultHelpCmd()
	completeWith(o, cmd)
	cmd.SetHelpFunc(helpFor(cmd.HelpFunc()))
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageOf(cmd, err.Error())
	})
	cmd.Version = built()
	cmd.Flags().Bool("version", false, "print the version and how it was built")
	cmd.SetVersionTemplate("{{.Version}}\n")
	return cmd
}

const exitStatus = `Exit status: 0 done, 1 no, 2 usage, 3 configuration, 4 unreachable, 5 store.`

// group makes cmd a command that only holds others. Cobra alone would answer a misspelled command
// below the top with help and success.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(commands...)
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return noCommand(cmd, args) }
	return cmd
}

// helpCommand is cobra's help command, but an unknown topic is an error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]...",
		Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noCommand(topic, rest)
			}
			return topic.Help()
		},
	}
}

// helpFor breaks cobra's output at the terminal's width.
func helpFor(print func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(cmd *cobra.Command, args []string) {
		p := paper{width: terminalWidth(cmd.OutOrStdout())}
		cmd.Long = p.paragraphs(cmd.Long)
		cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), ".FlagUsages",
			fmt.Sprintf(".FlagUsagesWrapped %d", p.width)))
		print(cmd, args)
	}
}

// exactly accepts only these arguments.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return arguments(cmd, names, args) }
}

// load reads the configuration and returns it with its store.
func (o *options) load() (*config.Config, account.Store, error) {
	c, err := config.Load(o.config)
	if err != nil {
		return nil, account.Store{}, err
	}
	return c, o.storeIn(c.Accounts.Directory), nil
}

func (o *options) storeIn(dir string) account.Store {
	etc := os.DirFS(filepath.Join("/", o.root, "etc"))
	return account.Store{Dir: dir, RuntimeDir: o.runtimeDir, Etc: etc, Besides: besides(etc)}
}

// anyStore is for commands that only need to know where the store is. In an emergency the
// configuration may be broken or gone. Then anyStore returns the machine's own store, if there is
// one, with a warning.
func (o *options) anyStore() (account.Store, error) {
	_, store, err := o.load()
	if err == nil {
		return store, nil
	}
	store = o.storeIn(o.storeDir)
	if _, missing := os.Stat(store.Path()); missing != nil {
		return account.Store{}, err
	}
	if !o.warned {
		o.warned = true
		fmt.Fprintf(o.errout, "aadctl: warning: %s\naadctl: warning: going on with %s\n",
			printable(explain(err).what), printable(store.Path()))
	}
	return store, nil
}

// reading checks the whole store, or another file of that kind, and then calls do with it.
func (o *options) reading(file string, do func(*account.Snapshot) error) error {
	store, err := o.anyStore()
	if err != nil {
		return err
	}
	open := store.Open
	if file != "" {
		open = func() (*account.Snapshot, error) { return store.OpenCopy(file) }
	}
	snapshot, err := open()
	if err != nil {
		return inStore(err)
	}
	defer snapshot.Close()
	if err := snapshot.Check(); err != nil {
		return inStore(err)
	}
	return do(snapshot)
}

// A checkedWriter remembers that the output could not be written. A list that a full disk cut short
// is not a success.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

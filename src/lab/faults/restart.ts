import { sh } from './shell.ts'

/**
 * Prints what starts a process again, for {@link startAgain}: its own words from its program on (an interpreter before a script is the
 * kernel's), environment, folder, user and group. A program for Perl; its arguments are the process and its name.
 */
export const COMMAND_OF = String.raw`
  my ($pid, $name) = @ARGV;
  my $read = sub { local $/; open my $file, "<", "/proc/$pid/$_[0]" or die "$!\n"; split /\0/, <$file> };
  my @words = $read->("cmdline");
  shift @words while @words && $words[0] !~ m{(?:^|/)\Q$name\E$};
  die "its command line has no program of that name\n" unless @words;
  my ($user, $group) = (stat "/proc/$pid")[4, 5];
  my @as = $user ? ("setpriv", "--reuid=$user", "--regid=$group", "--clear-groups") : ();
  print join "\0", "-i", "-C", readlink("/proc/$pid/cwd"), $read->("environ"), @as, "setsid", "-f", @words`

/** Runs what a file has, as `env` takes it, each word ended by a zero. */
export const startAgain = (file: string): string => sh`xargs -0 -a ${file} env </dev/null >/dev/null 2>&1`

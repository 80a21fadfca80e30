/** Where a derived real server has {@link STUB_PROGRAM}. */
export const STUB_PROGRAM_FILE = '/usr/local/sbin/stub'

/**
 * What answers for a service that is not httpd's: so much of its protocol as a health check asks, and no more. In Perl, which every
 * node has.
 */
export const STUB_PROGRAM = String.raw`#!/usr/bin/perl
# stub smtp PORT      every command is fine, and no mail is kept (RFC 5321)
# stub dns PORT       every question is answered, by no record and no error (RFC 1035); UDP and TCP
# stub reply PORT HEX every datagram gets these bytes
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Sys::Hostname;

my ($protocol, $port, $hex) = @ARGV;
my $name = hostname;

sub no_record {
  my ($query) = @_;
  return undef if length $query < 12;
  my ($id, $flags, $questions) = unpack 'n3', $query;
  # a response, with what was asked of the opcode and of recursion
  return pack('n6', $id, 0x8080 | ($flags & 0x7900), $questions, 0, 0, 0) . substr($query, 12);
}

my %datagram = (dns => \&no_record, reply => sub { pack 'H*', $hex });

# One UDP socket for each address, VIPs on lo among them: a reply must leave from the address that was asked.
my $ready = IO::Select->new;
my %is_datagram;
if ($datagram{$protocol}) {
  for my $address (${'`'}ip -o -4 address${'`'} =~ / inet ([0-9.]+)/g) {
    my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => $address, LocalPort => $port)
      or die "stub: udp $address:$port: $!\n";
    $ready->add($socket);
    $is_datagram{$socket} = 1;
  }
}
my $listener = 0;
if ($protocol ne 'reply') {
  $listener = IO::Socket::INET->new(Proto => 'tcp', LocalPort => $port, Listen => 64, ReuseAddr => 1)
    or die "stub: tcp $port: $!\n";
  $ready->add($listener);
}

# started means that it answers: whoever started it waits for this process to go on without it
defined(my $child = fork) or die "stub: $!\n";
exit 0 if $child;
$SIG{PIPE} = 'IGNORE';
open STDIN,  '<', '/dev/null';
open STDOUT, '>', '/dev/null';
open STDERR, '>', '/dev/null';

my (%rest, %in_mail);

# Says whether the connection goes on.
my %stream = (
  smtp => sub {
    my ($socket) = @_;
    while ($rest{$socket} =~ s/^(.*?)\r?\n//) {
      my $line = $1;
      my $data = $line =~ /^DATA\b/i;
      my $quit = $line =~ /^QUIT\b/i;
      next if $in_mail{$socket} && $line ne '.';
      my $answer = $in_mail{$socket} ? '250 taken' : $data ? '354 go on' : $quit ? '221 bye' : '250 fine';
      $quit &&= !$in_mail{$socket};
      $in_mail{$socket} = $data && !$in_mail{$socket};
      syswrite $socket, "$answer\r\n";
      return 0 if $quit;
    }
    return 1;
  },
  dns => sub {
    my ($socket) = @_;
    while (length $rest{$socket} >= 2) {
      my $length = unpack 'n', $rest{$socket};
      last if length $rest{$socket} < 2 + $length;
      my $answer = no_record(substr $rest{$socket}, 2, $length) // return 0;
      substr $rest{$socket}, 0, 2 + $length, '';
      syswrite $socket, pack('n', length $answer) . $answer;
    }
    return 1;
  },
);

while (1) {
  for my $socket ($ready->can_read) {
    if ($socket == $listener) {
      my $connection = $listener->accept or next;
      $rest{$connection} = '';
      $ready->add($connection);
      syswrite $connection, "220 $name\r\n" if $protocol eq 'smtp';
    } elsif ($is_datagram{$socket}) {
      my $from = $socket->recv(my $data, 65535) // next;
      my $answer = $datagram{$protocol}->($data) // next;
      $socket->send($answer, 0, $from);
    } else {
      my $goes_on = sysread $socket, my $data, 65536;
      if ($goes_on) {
        $rest{$socket} .= $data;
        $goes_on = $stream{$protocol}->($socket);
      }
      next if $goes_on;
      delete $rest{$socket};
      delete $in_mail{$socket};
      $ready->remove($socket);
      close $socket;
    }
  }
}
`

#include "core/atomic_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "cli/run.hpp"
#include "core/error.hpp"

using namespace biject;
namespace fs = std::filesystem;
using cli::read_file;
using cli::TemporaryFolder;

namespace {

void replace(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::size_t file_count(const TemporaryFolder& folder) {
  return folder.names().size();
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

// The message of the Error of kind io that opening `path` throws.
std::string refusal(const std::string& path) {
  try {
    AtomicFile file(path);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::io);
    CHECK(error.where() == path);
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a file appears with commit, whole") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.flow";
  {
    AtomicFile file(path);
    file.write("one ");
    CHECK_FALSE(fs::exists(path));
    file.write(std::string(100'000, 'x'));
    file.commit();
  }
  CHECK(read_file(path) == "one " + std::string(100'000, 'x'));
  CHECK(file_count(folder) == 1);
}

TEST_CASE("without commit the old file stays as it was and nothing else is left") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.flow";
  folder.file("a.flow", "old");
  {
    AtomicFile file(path);
    file.write("new");
    CHECK(file_count(folder) == 2);
  }
  CHECK(read_file(path) == "old");
  CHECK(file_count(folder) == 1);
}

TEST_CASE("the mode of a replaced file is kept, a new one obeys the umask") {
  const TemporaryFolder folder;
  folder.file("old", "x");
  REQUIRE(::chmod((folder / "old").c_str(), 0640) == 0);
  const mode_t before = ::umask(027);
  replace(folder / "old", "y");
  replace(folder / "new", "y");
  ::umask(before);
  CHECK(mode_of(folder / "old") == 0640);
  CHECK(mode_of(folder / "new") == 0640);
}

TEST_CASE("a symbolic link stays, what it points to is replaced") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "deep");
  folder.file("deep/target", "old");
  fs::create_symlink("deep/target", folder / "link");
  fs::create_symlink("link", folder / "link to link");
  replace(folder / "link to link", "new");
  CHECK(fs::is_symlink(folder / "link to link"));
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_file(folder / "deep/target") == "new");

  fs::create_symlink("deep/missing", folder / "dangling");
  replace(folder / "dangling", "made");
  CHECK(fs::is_symlink(folder / "dangling"));
  CHECK(read_file(folder / "deep/missing") == "made");

  fs::create_symlink("loop", folder / "loop");
  CHECK_FALSE(refusal(folder / "loop").empty());
}

TEST_CASE("what cannot be written is refused when it is opened") {
  const TemporaryFolder folder;
  CHECK(contains(refusal(folder / "missing/a.flow"), "missing: No such directory"));
  CHECK(contains(refusal(folder / std::string(300, 'n')), "File name too long"));
  CHECK(contains(refusal(folder.path()), "Is a directory"));
  CHECK(contains(refusal(folder / "new/"), "Is a directory"));
  CHECK(contains(refusal(""), "empty"));
  folder.file("file", "x");
  CHECK(contains(refusal(folder / "file/a.flow"), "Not a directory"));
  if (::geteuid() != 0) {
    fs::create_directory(folder / "locked");
    fs::permissions(folder / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    CHECK(contains(refusal(folder / "locked/a.flow"), "Permission denied"));
    fs::permissions(folder / "file", fs::perms::owner_read);
    CHECK(contains(refusal(folder / "file"), "Permission denied"));
  }
  CHECK(read_file(folder / "file") == "x");
}

TEST_CASE("odd names are names") {
  const TemporaryFolder folder;
  for (const std::string& name : {std::string(255, 'n'), std::string("-o"), std::string("a b 'c' \"d\""),
                                  std::string("%s{}"), std::string("\xFF\xFE"), std::string("ü\n")}) {
    CAPTURE(name);
    replace(folder / name, name);
    CHECK(read_file(folder / name) == name);
    fs::remove(folder / name);
    CHECK(file_count(folder) == 0);
  }
}

TEST_CASE("a relative name without a folder is written here") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  replace("plain", "x");
  fs::current_path(before);
  CHECK(read_file(folder / "plain") == "x");
}

TEST_CASE("devices and pipes are written directly") {
  const TemporaryFolder folder;
  AtomicFile full("/dev/full");
  CHECK_THROWS_WITH_AS(full.write("x"), doctest::Contains("No space left"), Error);
  replace("/dev/null", "gone");
  CHECK(fs::is_character_file("/dev/null"));

  const std::string fifo = folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::thread writer([&] { replace(fifo, "through the pipe"); });
  CHECK(read_file(fifo) == "through the pipe");
  writer.join();
  CHECK(fs::is_fifo(fifo));
}

TEST_CASE("an open descriptor is written where it stands") {
  const TemporaryFolder folder;
  folder.file("log", "before ");
  const int log = ::open((folder / "log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  REQUIRE(log >= 0);
  replace("/dev/fd/" + std::to_string(log), "after");
  ::close(log);
  CHECK(read_file(folder / "log") == "before after");
  CHECK_FALSE(refusal("/dev/fd/987654").empty());
}

TEST_CASE("a stale temporary of a process that is gone is removed, a living one's is not") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  const std::string gone = std::to_string(child), here = std::to_string(::getpid());
  const std::vector<std::string> kept{".a.flow." + here + ".01234567.tmp",
                                      ".b.flow." + gone + ".01234567.tmp", ".a.flow." + gone + ".0123.tmp",
                                      ".a.flow." + gone + ".tmp", ".a.flow.x.01234567.tmp"};
  folder.file(".a.flow." + gone + ".01234567.tmp", "stale");
  for (const std::string& name : kept) folder.file(name, "kept");
  replace(folder / "a.flow", "new");
  for (const std::string& name : kept) CHECK(fs::exists(folder / name));
  CHECK(file_count(folder) == 1 + kept.size());
}

TEST_CASE("the signal handler's function removes the temporaries that are open") {
  const TemporaryFolder folder;
  {
    AtomicFile first(folder / "a"), second(folder / "b");
    CHECK(file_count(folder) == 2);
    remove_temporaries_in_signal_handler();
    CHECK(file_count(folder) == 0);
  }
  replace(folder / "a", "x");
  remove_temporaries_in_signal_handler();
  CHECK(read_file(folder / "a") == "x");
}

TEST_CASE("a killed writer leaves nothing if its handler calls that function") {
  const TemporaryFolder folder;
  folder.file("a", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGTERM, [](int) {
      remove_temporaries_in_signal_handler();
      ::_exit(0);
    });
    AtomicFile file(folder / "a");
    file.write("new");
    ::raise(SIGTERM);
    ::_exit(1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(file_count(folder) == 1);
  CHECK(read_file(folder / "a") == "old");
}

TEST_CASE("more files than the registry holds are still written and cleaned up") {
  const TemporaryFolder folder;
  {
    std::vector<std::unique_ptr<AtomicFile>> files;
    for (int i = 0; i < 40; ++i) {
      files.push_back(std::make_unique<AtomicFile>(folder / std::to_string(i)));
    }
    for (std::size_t i = 0; i < files.size(); i += 2) files[i]->commit();
  }
  CHECK(file_count(folder) == 20);
}

TEST_CASE("of several writers of one file one wins, and the file is whole") {
  const TemporaryFolder folder;
  std::vector<std::thread> writers;
  for (char letter = 'a'; letter < 'e'; ++letter) {
    writers.emplace_back([&folder, letter] {
      for (int i = 0; i < 10; ++i) replace(folder / "a.flow", std::string(50'000, letter));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string text = read_file(folder / "a.flow");
  CHECK(text.size() == 50'000);
  CHECK(std::ranges::count(text, text.front()) == 50'000);
  CHECK(file_count(folder) == 1);
}

TEST_CASE("the same file has many names") {
  const TemporaryFolder folder;
  folder.file("a", "x");
  folder.file("b", "x");
  fs::create_symlink("a", folder / "soft");
  fs::create_hard_link(folder / "a", folder / "hard");
  const auto same = [&](const char* first, const char* second) {
    return is_same_file(folder / first, folder / second);
  };
  CHECK(same("a", "a"));
  CHECK(same("a", "./a"));
  CHECK(same("a", "soft"));
  CHECK(same("hard", "a"));
  CHECK_FALSE(same("a", "b"));
  CHECK_FALSE(same("missing", "missing"));
}
